import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { run } from "../../toolchain/process.ts";

/** An image that holds one static program, and nothing else. */
export interface ProgramImage {
  readonly reference: string;
  /** The name of the program, at the root of the image. */
  readonly program: string;
  /** The main package, of the standard library alone. */
  readonly source: string;
}

/** Builds the image in a new folder and gives its archive, which containerd imports. Needs no Docker engine. */
export async function buildProgramImage(go: string, folder: string, image: ProgramImage): Promise<string> {
  const { reference, program, source } = image;
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "go.mod"), `module kiln.invalid/${program}\n`);
  await writeFile(path.join(folder, "main.go"), source);
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOTOOLCHAIN: "local", GOWORK: "off" };
  const { stdout: architecture } = await run(go, ["env", "GOARCH"], { env });
  await run(go, ["build", "-trimpath", "-ldflags=-s -w", "-o", program, "."], { cwd: folder, env });
  await run("tar", ["-cf", "layer.tar", program], { cwd: folder });
  const diff = createHash("sha256")
    .update(await readFile(path.join(folder, "layer.tar")))
    .digest("hex");
  const config = {
    ...{ architecture: architecture.trim(), os: "linux", config: { Entrypoint: [`/${program}`], User: "65532" } },
    rootfs: { type: "layers", diff_ids: [`sha256:${diff}`] },
  };
  await writeFile(path.join(folder, "config.json"), JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: [reference], Layers: ["layer.tar"] }];
  await writeFile(path.join(folder, "manifest.json"), JSON.stringify(manifest));
  await run("tar", ["-cf", "image.tar", "manifest.json", "config.json", "layer.tar"], { cwd: folder });
  return path.join(folder, "image.tar");
}

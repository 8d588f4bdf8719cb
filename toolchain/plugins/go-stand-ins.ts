import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import type { Progress } from "../../progress.ts";
import { buildEnvironment } from "../build-from-proxy.ts";
import { withLock } from "../lock.ts";
import { platformName } from "../pins.ts";
import type { Places } from "../places.ts";
import { run } from "../process.ts";
import { resolveTool } from "../resolve.ts";

/** The Go module of the stand-ins. */
const SOURCE = path.join(import.meta.dirname, "go-host");

/** What the module builds: Pulumi's Go host, a provider of any package, and a recorder of network attempts. */
export const GO_STAND_INS = {
  languageHost: "pulumi-language-go",
  provider: "pulumi-resource-stand-in",
  recorder: "record-attempts",
} as const;

/**
 * The folder that holds the stand-ins as static Linux binaries of this machine's architecture; builds them where the
 * tool cache lacks them. For tests of images: they are mounted into containers and never part of an image.
 */
export async function readyGoStandIns(places: Places, progress: Progress): Promise<string> {
  const go = await resolveTool("go", { places, progress });
  const key = await sourceKey(go.version);
  const platform = platformName("linux");
  const home = path.join(places.cache, "tools", `go-stand-ins-${key}-${platform}`);
  return withLock(`${home}.lock`, progress, "the build of the Go stand-ins", async () => {
    if (existsSync(home)) return home;
    progress.step("building the stand-ins for Pulumi's Go host and providers");
    const fresh = `${home}.${randomUUID()}.part`;
    const [source, bin] = [path.join(fresh, "source"), path.join(fresh, "bin")];
    try {
      await cp(SOURCE, source, { recursive: true });
      await mkdir(bin);
      const env = { ...buildEnvironment(process.env, go.root), GOOS: "linux", GOFLAGS: "-mod=readonly" };
      const build = ["build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", bin, "./..."];
      await run(path.join(go.root, "bin/go"), build, { cwd: source, env });
      await rename(bin, home);
      return home;
    } catch (cause) {
      if (cause instanceof KilnError && cause.kind === "interrupted") throw cause;
      throw new KilnError("unreachable", `cannot build the stand-ins of ${SOURCE}: ${messageOf(cause)}`, {
        mend: "let this machine reach its Go module proxy (`go env GOPROXY`)",
        cause,
      });
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  });
}

/** A digest of the sources and the Go version: another one is another build. */
async function sourceKey(goVersion: string): Promise<string> {
  const hash = createHash("sha256").update(goVersion);
  const entries = await readdir(SOURCE, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    hash.update(`\n${path.relative(SOURCE, file)}\n`).update(await readFile(file));
  }
  return hash.digest("hex").slice(0, 16);
}

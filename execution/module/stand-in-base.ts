import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Progress } from "../../progress.ts";
import type { Engine } from "../../toolchain/docker-engine.ts";
import type { Places } from "../../toolchain/places.ts";
import { parseDockerIgnore } from "../../toolchain/plugins/docker-provider/docker-ignore.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { buildCertificates, buildImage, hasImage } from "../docker.ts";
import { contextArchive } from "./context-archive.ts";
import { readContext } from "./context.ts";
import { streamBuild } from "./stream-build.ts";

export type StandInLanguage = "nodejs" | "python" | "go";

export interface StandInOptions {
  readonly engine: Engine;
  readonly language: StandInLanguage;
  readonly platform: string;
  /** The image with nothing of the language that it stands on. */
  readonly base: string;
  readonly places: Places;
  readonly progress: Progress;
}

/** What takes the place of a public image of a language: Debian's packages, npm's Node, this machine's Go. Returns its reference. */
export async function readyStandIn(options: StandInOptions): Promise<string> {
  return options.language === "go" ? readyGo(options) : readyPackaged(options);
}

async function readyPackaged({ engine, language, platform, base, places, progress }: StandInOptions): Promise<string> {
  const context = path.join(places.project, "images/iac-module/stand-ins");
  const dockerfile = path.join(context, "Dockerfile");
  const tag = tagOf(language, platform, [base, await readFile(dockerfile, "utf8")]);
  if (await hasImage(engine, tag)) return tag;
  progress.step(`building a stand-in for the public image of ${language}`);
  const certificates = buildCertificates();
  const args = { BASE_IMAGE: base };
  await buildImage(engine, { context, dockerfile, target: language, tag, platform, args, certificates, progress });
  return tag;
}

/** Go's own folder, without what no build reads, as a layer on the base. */
async function readyGo({ engine, language, platform, base, places, progress }: StandInOptions): Promise<string> {
  const go = await resolveTool("go", { places, progress, platform: platform.replace("/", "-") });
  const tag = tagOf(language, platform, [base, go.version, GO_DOCKERFILE]);
  if (await hasImage(engine, tag)) return tag;
  progress.step(`building a stand-in for the public image of Go ${go.version}`);
  const entries = await readContext(go.root, parseDockerIgnore("api\ndoc\ntest\n"));
  await streamBuild(engine, {
    ...{ tag, platform, progress, labels: {}, secrets: {}, dockerfile: "Dockerfile", args: { BASE_IMAGE: base } },
    context: contextArchive({ directory: go.root, entries, added: { Dockerfile: GO_DOCKERFILE } }),
  });
  return tag;
}

const GO_DOCKERFILE = `ARG BASE_IMAGE
FROM \${BASE_IMAGE}
COPY . /usr/local/go/
ENV PATH=/usr/local/go/bin:\${PATH} GOPATH=/go GOTOOLCHAIN=local
`;

function tagOf(language: string, platform: string, parts: readonly string[]): string {
  const key = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
  return `kiln-stand-in-${language}:${key}-${platform.replace("linux/", "")}`;
}

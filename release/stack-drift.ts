import { readRecord } from "../cache/record.ts";
import { KilnError, messageOf } from "../errors.ts";
import { readDigest, type RegistryClient } from "../registry/client.ts";
import { parsePinnedImage, type PinnedImage } from "../registry/image-reference.ts";
import { imageRepository, warmRepository } from "../registry/repository-names.ts";
import type { Settings } from "../settings.ts";
import { run } from "../toolchain/process.ts";
import { previewChanges, previewError, type ImageFinding, type PreviewFinding, type StackDrift } from "./drift.ts";
import { readOutputs, type PulumiStack } from "./pulumi-stack.ts";
import { readStackSettings } from "./stack-file.ts";
import type { Notary } from "./supply/cosign.ts";
import { readSealState } from "./supply/seal-faults.ts";

export interface DriftQuery {
  readonly project: string;
  readonly stack: string;
  readonly client: RegistryClient;
  /** Verifies signatures, where the stack's file asks for them. */
  readonly notary: Notary;
  /** The environment of Pulumi where it is to be asked; without one, only the images in the stack's file are looked at. */
  readonly pulumi: NodeJS.ProcessEnv | undefined;
}

/** How what runs for a stack stands to its file: its resources, and each image that the file or an output names by digest. */
export async function readStackDrift(query: DriftQuery): Promise<StackDrift> {
  const { project, stack, pulumi } = query;
  const settings = await readStackSettings(project, stack);
  const call = pulumi === undefined ? undefined : { project, stack, env: pulumi };
  const preview: PreviewFinding = call === undefined ? { kind: "not asked" } : await readPreview(call);
  const { outputs, reason }: Answer = call === undefined ? { outputs: {} } : await outputsOrReason(call);
  const images: ImageFinding[] = [];
  for (const [image, namedBy] of imagesNamed(settings, outputs)) {
    images.push(await readImageFinding(query, settings, image, namedBy));
  }
  // What it runs could not be looked at: that is no good news, whatever the preview said.
  const unknown = reason !== undefined && preview.kind === "same";
  return { stack, preview: unknown ? { kind: "unknown", reason } : preview, images };
}

type Outputs = Readonly<Record<string, unknown>>;

/** Outputs of a stack, or why nobody says them. */
interface Answer {
  readonly outputs: Outputs;
  readonly reason?: string;
}

async function outputsOrReason(call: PulumiStack): Promise<Answer> {
  try {
    return { outputs: await readOutputs(call) };
  } catch (error) {
    if (!(error instanceof KilnError) || error.kind !== "unreachable") throw error;
    return { outputs: {}, reason: error.message };
  }
}

/** Exit codes of Pulumi: pkg/cmd/pulumi/cmd/exit_codes.go. */
const EXIT = { authentication: 3, noStack: 6, changes: 7 } as const;

async function readPreview({ project, stack, env }: PulumiStack): Promise<PreviewFinding> {
  const flags = ["--refresh", "--expect-no-changes", "--json", "--non-interactive"];
  const { code, stdout, stderr } = await run("pulumi", ["preview", ...flags, "--stack", stack], {
    cwd: project,
    env,
    allowFailure: true,
  });
  if (code === 0) return { kind: "same" };
  // A Pulumi from before these exit codes says so in words alone.
  if (code === EXIT.changes || /no changes were expected/i.test(stderr)) {
    return { kind: "differs", changes: previewChanges(stdout) };
  }
  const said = previewError(stdout) ?? errorLine(stderr) ?? `pulumi preview exited with ${code}`;
  if (code === EXIT.authentication) {
    throw new KilnError("unreachable", `the backend of stack ${stack} refuses this login: ${said}`, {
      mend: "Log in as somebody who may read it: `pulumi login`.",
    });
  }
  return { kind: "unknown", reason: code === EXIT.noStack ? "the backend has no such stack" : said };
}

/** The first line in which Pulumi says what went wrong: it warns of much else. */
function errorLine(text: string): string | undefined {
  return text
    .split("\n")
    .find((line) => /^\s*error:/i.test(line))
    ?.trim();
}

/** Every image that a stack's file, or an output at any depth, names by digest, with the places that name it. Pure. */
export function imagesNamed(
  { warmImage, runners }: Pick<Settings, "warmImage" | "runners">,
  outputs: Outputs,
): ReadonlyMap<string, readonly string[]> {
  const named = new Map<string, string[]>();
  const add = (image: unknown, place: string) => {
    if (typeof image === "string" && parsePinnedImage(image) !== undefined) {
      named.set(image, [...(named.get(image) ?? []), place]);
    } else if (typeof image === "object" && image !== null) {
      for (const [key, value] of Object.entries(image)) add(value, `${place}.${key}`);
    }
  };
  add(warmImage, "kiln:warmImage");
  add(runners?.actionsRunner.image, "kiln:actionsRunner.image");
  for (const [name, value] of Object.entries(outputs)) add(value, `output ${name}`);
  return named;
}

async function readImageFinding(
  query: DriftQuery,
  settings: Settings,
  image: string,
  namedBy: readonly string[],
): Promise<ImageFinding> {
  try {
    const fault = await readFault(query, settings, image);
    return { image, namedBy, state: fault === "" ? "sound" : "faulty", fault };
  } catch (error) {
    if (!(error instanceof KilnError) || error.kind === "interrupted") throw error;
    return { image, namedBy, state: "unknown", fault: `could not be looked at: ${messageOf(error)}` };
  }
}

/** What is wrong with an image in its registry; empty where nothing is. Records are those of warm images. */
async function readFault(query: DriftQuery, settings: Settings, image: string): Promise<string> {
  const pinned = parsePinnedImage(image);
  if (pinned === undefined) return "is not pinned by digest";
  if ((await readDigest(query.client, pinned)) === undefined) return "is no longer in its registry";
  // What a file names as its warm image is what the stack's image is built from, in whichever repository it is.
  const isNamed = image === settings.warmImage;
  const isWarm = isNamed || pinned.repository === warmRepository(settings.registry);
  const found = isWarm ? await readRecord(query.client, pinned) : undefined;
  const unverified = found !== undefined && found.record === undefined;
  return [
    ...(unverified ? [`is not verified: ${found.faults.join("; ")}`] : []),
    ...(await readSealFaults(query, settings, pinned, isNamed)),
  ].join("; ");
}

/** What is wrong with the seal of an image that this project made, or builds upon, where the stack demands one. */
async function readSealFaults(
  { client, notary }: DriftQuery,
  { registry, signatures: policy }: Settings,
  image: PinnedImage,
  isNamed: boolean,
): Promise<readonly string[]> {
  if (policy === undefined) return [];
  if (!isNamed && ![imageRepository(registry), warmRepository(registry)].includes(image.repository)) return [];
  return (await readSealState({ client, notary, policy }, image)).faults;
}

import { isLoopback } from "../../../registry/repository-names.ts";
import { KilnError } from "../../../errors.ts";
import { run } from "../../process.ts";
import type { CheckedInputs } from "./image-inputs.ts";

/** Builds an image, pushes it unless told not to, and returns its digest: `repository@sha256:…`, or the ID when it stays. */
export async function buildImage(inputs: CheckedInputs, onLine: (line: string) => void): Promise<string> {
  if (!inputs.skipPush) requireLoopback(inputs);
  const builderEnvironment = { DOCKER_BUILDKIT: inputs.build.builderVersion === "BuilderV1" ? "0" : "1" };
  const listen = { onStdoutLine: onLine, onStderrLine: onLine };
  await run("docker", buildArguments(inputs), { env: { ...process.env, ...builderEnvironment }, ...listen });
  if (inputs.skipPush) {
    return (await run("docker", ["image", "inspect", "--format", "{{.Id}}", inputs.imageName])).stdout.trim();
  }
  const pushed = await run("docker", ["push", inputs.imageName], listen);
  return `${repositoryOf(inputs.imageName)}@${pushedDigest(pushed.stdout, inputs.imageName)}`;
}

/** Takes the image's name from the local engine, as far as that is possible. The registry keeps what was pushed. */
export async function removeImage(imageName: string): Promise<void> {
  await run("docker", ["rmi", imageName], { allowFailure: true });
}

/** The command line of `docker build`. */
export function buildArguments(inputs: CheckedInputs): string[] {
  const { build } = inputs;
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  return [
    "build",
    ...option("--tag", inputs.imageName),
    ...option("--file", build.dockerfile),
    ...option("--platform", build.platform),
    ...option("--target", build.target),
    ...option("--network", build.network),
    ...Object.entries(build.args ?? {}).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...(build.cacheFrom?.images ?? []).flatMap((image) => ["--cache-from", image]),
    ...(build.addHosts ?? []).flatMap((host) => ["--add-host", host]),
    ...(build.builderVersion === "BuilderV1" ? [] : ["--progress", "plain"]),
    build.context,
  ];
}

/** The digest that `docker push` printed last. */
export function pushedDigest(output: string, imageName: string): string {
  const digest = [...output.matchAll(/\bdigest: (sha256:[0-9a-f]{64})\b/g)].at(-1)?.[1];
  if (digest === undefined) throw new KilnError("failed", `docker push ${imageName} printed no digest`);
  return digest;
}

/** An image name without its tag. */
export function repositoryOf(imageName: string): string {
  return imageName.replace(/:[^:/]+$/, "");
}

/** The loopback plugin pushes to this machine only, and logs in nowhere. */
function requireLoopback({ imageName }: CheckedInputs): void {
  const [host] = imageName.split("/", 1);
  if (host !== undefined && isLoopback(host)) return;
  throw new KilnError("usage", `kiln's loopback docker plugin pushes to this machine only, not to ${imageName}`);
}

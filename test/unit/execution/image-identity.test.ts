import { expect, it } from "vitest";
import { identifyImage } from "../../../execution/image-identity.ts";
import { silent } from "../../../progress.ts";
import { fakeDocker } from "./module/fake-docker.ts";

const ID = `sha256:${"1".repeat(64)}`;
const OTHER = `sha256:${"2".repeat(64)}`;
const DIGEST = `sha256:${"d".repeat(64)}`;

async function engine() {
  const fake = await fakeDocker();
  const image = { Id: ID, RepoDigests: [`r/i@${DIGEST}`], Config: { Labels: { a: "b" } } };
  for (const name of ["r/i:t", `r/i@${DIGEST}`, ID]) await fake.image(name, image);
  return { fake, docker: { docker: fake.engine.docker, env: process.env } };
}

it.each([["r/i:t"], [`r/i@${DIGEST}`], [`r/i:t@${DIGEST}`], [`r/i:gone@${DIGEST}`], [ID]])(
  "%s is its content",
  async (reference) => {
    const { docker } = await engine();
    expect(await identifyImage(docker, reference, { progress: silent })).toEqual({
      reference,
      id: ID,
      repoDigests: [`r/i@${DIGEST}`],
      labels: { a: "b" },
    });
  },
);

it.each([ID, DIGEST])("a tag that is still %s is taken", async (expected) => {
  const { docker } = await engine();
  expect((await identifyImage(docker, "r/i:t", { expected, progress: silent })).id).toBe(ID);
});

it("a tag that moved is refused, beside a digest and against what was looked at", async () => {
  const { fake, docker } = await engine();
  await fake.image("r/i:t", { Id: OTHER, RepoDigests: [] });
  const refused = { kind: "difference", message: expect.stringMatching(/ is sha256:2+, not sha256:/) as string };
  await expect(identifyImage(docker, `r/i:t@${DIGEST}`, { progress: silent })).rejects.toMatchObject(refused);
  await expect(identifyImage(docker, "r/i:t", { expected: ID, progress: silent })).rejects.toMatchObject(refused);
});

it("an engine that gives another image for a digest is not believed", async () => {
  const { fake, docker } = await engine();
  await fake.image(`r/i@${DIGEST}`, { Id: OTHER, RepoDigests: [`r/i@${OTHER}`] });
  await expect(identifyImage(docker, `r/i@${DIGEST}`, { progress: silent })).rejects.toMatchObject({
    kind: "difference",
  });
});

it("what the engine lacks is pulled, and a refusal is said", async () => {
  const { fake, docker } = await engine();
  await expect(identifyImage(docker, "ghcr.io/o/a:1", { progress: silent })).rejects.toMatchObject({
    kind: "unreachable",
    message: "ghcr.io/o/a:1 cannot be pulled: Error response from daemon: pull access denied for ghcr.io/o/a:1",
  });
  expect(await fake.calls("pull")).toEqual(["pull --quiet ghcr.io/o/a:1"]);
});

it("an image id that the engine lacks is not asked of a registry", async () => {
  const { fake, docker } = await engine();
  await expect(identifyImage(docker, OTHER, { progress: silent })).rejects.toMatchObject({ kind: "usage" });
  expect(await fake.calls("pull")).toEqual([]);
});

it("an engine that does not answer is not taken for one without the image", async () => {
  const { fake, docker } = await engine();
  await fake.fail("image", "Cannot connect to the Docker daemon");
  await expect(identifyImage(docker, "r/i:t", { progress: silent })).rejects.toThrow("Cannot connect");
  expect(await fake.calls("pull")).toEqual([]);
});

it("a reference that is no reference is an error before docker is asked", async () => {
  const { docker } = await engine();
  await expect(identifyImage(docker, "--privileged", { progress: silent })).rejects.toMatchObject({ kind: "usage" });
});

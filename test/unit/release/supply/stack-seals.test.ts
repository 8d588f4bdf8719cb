import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, expect, it } from "vitest";
import { readSealDemands } from "../../../../release/supply/stack-seals.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const REPOSITORY = "ghcr.io/acme/infra/base-images/iac-runner";
let project: string;

const write = (stack: string, registry: string, more = "") =>
  writeFile(path.join(project, `stacks/Pulumi.${stack}.yaml`), `config:\n  kiln:registry: ${registry}\n${more}`);
const key = (name: string) => `  kiln:signatures: { key: ${name} }\n`;

beforeEach(async () => {
  project = await temporaryDirectory();
  await mkdir(path.join(project, "stacks"));
  await write("local", "localhost:5180");
  await write("dev", "ghcr.io/acme/infra", key("dev.pub"));
  await write("staging", "ghcr.io/acme/infra", key("dev.pub"));
  await write("prod", "ghcr.io/acme/infra", key("prod.pub"));
  await write("other", "ghcr.io/acme/other", key("other.pub"));
});

it.each([REPOSITORY, `${REPOSITORY}-warm`])(
  "what is put into %s has to be what every stack of it demands",
  async (name) => {
    expect(await readSealDemands(project, name)).toEqual([
      { stack: "dev", policy: { kind: "key", key: "dev.pub" } },
      { stack: "prod", policy: { kind: "key", key: "prod.pub" } },
    ]);
  },
);

it("what no stack asks for a signature of is demanded nothing", async () => {
  expect(await readSealDemands(project, "localhost:5180/kiln/base-images/iac-runner")).toEqual([]);
});

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { findingsText } from "../../../../cli/language/build.ts";
import { languagePushCommand, publishedText, targetOf } from "../../../../cli/language/publish.ts";
import {
  baseOf,
  languageOf,
  platformOf,
  pulumiVersionOf,
  readContent,
  variantOf,
} from "../../../../cli/language/selection.ts";
import { catalogue } from "../../../../execution/language/catalogue.ts";
import { silent } from "../../../../progress.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const IMAGE = { language: "golang", variant: "slim", platform: "linux/amd64" } as const;

/** A checkout that locks one plugin. */
async function project(): Promise<string> {
  const folder = await temporaryDirectory();
  const archive = { sha256: "a".repeat(64), bytes: 1, url: "https://get.pulumi.com/aws.tar.gz" };
  const archives = { "pulumi-resource-aws-v7.48.0-linux-amd64.tar.gz": archive };
  await mkdir(path.join(folder, "stacks"));
  await writeFile(path.join(folder, "stacks/plugins.lock.json"), JSON.stringify({ version: 1, archives }));
  return folder;
}

describe("what a language runner is asked to be", () => {
  it("is slim, of the pinned Pulumi and the catalogue's user, where nothing else is said", async () => {
    expect(variantOf({})).toBe("slim");
    expect(pulumiVersionOf({})).toBeUndefined();
    expect(await readContent({}, "/nowhere", IMAGE)).toMatchObject({ clouds: [], plugins: {}, loopbackHosts: false });
  });

  it("names plugins that are locked, with their checksums", async () => {
    const { plugins } = await readContent({ plugin: ["aws@7.48.0"] }, await project(), IMAGE);
    expect(plugins).toEqual({
      "pulumi-resource-aws-v7.48.0": {
        url: "https://get.pulumi.com/aws.tar.gz",
        algorithm: "sha256",
        checksum: "a".repeat(64),
      },
    });
  });

  it.each<[string, Record<string, string | readonly string[]>, string]>([
    ["a plugin that is not locked", { plugin: ["gcp@9.0.0"] }, "has no gcp 9.0.0 for linux/amd64"],
    ["a plugin without a version", { plugin: ["aws"] }, "--plugin aws is no NAME@VERSION"],
    ["root", { uid: "0" }, "--uid 0 is none for an image"],
    ["a user by name", { uid: "runner" }, "--uid runner is none for an image"],
    ["more than a uid can be", { uid: "4294967295" }, "--uid 4294967295 is none"],
  ])("is refused with %s", async (_, values, said) => {
    await expect(readContent(values, await project(), IMAGE)).rejects.toThrow(said);
  });

  it("is refused where a name is none that there is", () => {
    expect(() => languageOf({ language: "go" })).toThrow("--language go is none that there is");
    expect(() => languageOf({})).toThrow("--language is missing");
    expect(() => variantOf({ variant: "full" })).toThrow("--variant full is none that there is");
    expect(() => platformOf({ platform: "linux/riscv64" })).toThrow("--platform linux/riscv64 is none");
    expect(() => pulumiVersionOf({ "pulumi-version": "v3.253.0" })).toThrow("--pulumi-version v3.253.0 is no version");
  });
});

describe("the target of a release", () => {
  it("is one image in the registries that a command names", async () => {
    const values = { tag: "dev-v1.2.3", registry: ["preproduction=localhost:5180/kiln"] };
    const { target } = await targetOf(values, "yaml", "tools");
    expect(target.imageTag).toBe("v1.2.3-tools");
    expect(target.repositories).toEqual(["localhost:5180/kiln/runner-pulumi-yaml"]);
  });

  it("is none of a tag of another kind", async () => {
    const values = { tag: "iac-runner-base-v1.2.3" };
    await expect(targetOf(values, "yaml", "slim")).rejects.toThrow("is no tag of a language runner");
  });
});

describe("the base of a release", () => {
  it("is the catalogue's, or the one that a person names by its digest", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    expect(baseOf({})).toEqual({ baseDigest: catalogue.base.digest });
    expect(baseOf({ "base-image": `ghcr.io/acme/debian:12@${digest}` })).toEqual({ baseDigest: digest });
    expect(baseOf({ "base-image": "ghcr.io/acme/debian:12" })).toEqual({ baseDigest: undefined });
    expect(() => baseOf({ "base-image": "a b" })).toThrow('"a b" is not an image reference');
  });
});

describe("a push", () => {
  it.each([
    ["to an address that is an example", {}, /^public\.ecr\.aws\/your-alias\S* is an example$/],
    [
      "elsewhere, on a base by tag",
      { registry: ["production=ghcr.io/a/b"], "base-image": "a.io/b:1" },
      /no digest names/,
    ],
  ])("%s is refused before an engine is looked for", async (_, more, said) => {
    const values = { tag: "v1.2.3", language: "yaml", image: "runner:built", ...more };
    const refusal = languagePushCommand.run({ values, positionals: [], progress: silent });
    await expect(refusal).rejects.toMatchObject({ kind: "usage", message: expect.stringMatching(said) as string });
  });
});

describe("what is printed", () => {
  it("counts what is right, wrong and skipped", () => {
    const text = findingsText("runner:1", [
      { what: "user", status: "ok", detail: "1983:1983" },
      { what: "size above the base", status: "failed", detail: "500 MB of 320 MB" },
      { what: "preview", status: "skipped", detail: "no host" },
    ]);
    expect(text.split("\n").at(-1)).toBe("runner:1: 1 right, 1 wrong, 1 skipped");
    expect(text).toMatch(/^failed +size above the base +500 MB of 320 MB$/m);
  });

  it("says what each tag named before", () => {
    const [now, before] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
    const move = { kind: "replaced", digest: now, replaces: before } as const;
    const buildTag = "v1.2.3-aaaaaaaaaaaa";
    const text = publishedText({
      digest: now,
      platforms: ["linux/amd64"],
      imageTag: "v1.2.3",
      buildTag,
      packageLists: { [now]: before },
      moves: { "r/a": move },
    });
    expect(text).toBe(
      `r/a:v1.2.3  replaced  was ${before}\n${now} (linux/amd64), for ever ${buildTag}\npackages (SBOM) in ${before}`,
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KilnError } from "../../errors.ts";
import { parseSettings, recipeOf, requireWarmImage, verificationOf } from "../../settings.ts";

const LOOPBACK = { registry: "localhost:5180" };
const WARM = `localhost:5180/kiln/base-images/iac-runner-warm@sha256:${"0123456789abcdef".repeat(4)}`;

function refusalOf(raw: Readonly<Record<string, unknown>>): KilnError {
  try {
    parseSettings("dev", raw);
  } catch (error) {
    if (error instanceof KilnError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("parseSettings", () => {
  it("fills in every default", () => {
    expect(parseSettings("dev", LOOPBACK)).toEqual({
      stack: "dev",
      registry: "localhost:5180",
      warmImage: undefined,
      image: {
        dockerfile: "merged",
        platform: "linux/amd64",
        tag: "dev",
        base: "docker.io/library/debian:bookworm-slim",
        tools: undefined,
        certificates: undefined,
        plugins: "none",
        store: "packed",
        programs: "cache",
      },
      source: { path: ".", modules: "examples/modules/{provider}/{module}", tags: [] },
      buildOnPreview: false,
      runners: undefined,
      github: undefined,
      languageImages: {},
      jobImages: {},
    });
  });

  it("keeps every value that a stack sets", () => {
    const image = {
      dockerfile: "standalone",
      platform: "linux/arm64",
      tag: "v1.2.3",
      base: "debian:12",
      tools: "t:1",
      certificates: "c:1",
      plugins: "volume",
      store: "loose",
      programs: "cache",
    };
    const source = { path: ".", modules: "apis/**/{provider}/{module}/*/pulumi", tags: "" };
    const raw = { registry: "ghcr.io/acme/infra", warmImage: WARM, image, source, buildOnPreview: true };
    const tags: readonly string[] = [];
    expect(parseSettings("prod", raw)).toEqual({
      ...{ stack: "prod", ...raw, source: { ...source, tags } },
      ...{ runners: undefined, github: undefined, languageImages: {}, jobImages: {} },
    });
  });

  it("packs caches unless a stack says otherwise, and delivers programs as it says", () => {
    const { image } = parseSettings("dev", { ...LOOPBACK, image: { store: "loose", programs: "both" } });
    expect([image.store, image.programs]).toEqual(["loose", "both"]);
  });

  it("reads build tags, of which an image that is baked has any number", () => {
    const { source } = parseSettings("dev", { ...LOOPBACK, source: { tags: "aws,,netgo" } });
    expect(source.tags).toEqual(["aws", "netgo"]);
  });

  it("reads the texts that Pulumi hands to a program as it reads YAML", () => {
    const fromPulumi = { ...LOOPBACK, warmImage: "", image: '{"tag":"v1"}', source: "{}", buildOnPreview: "true" };
    const fromYaml = { ...LOOPBACK, image: { tag: "v1" }, buildOnPreview: true };
    expect(parseSettings("dev", fromPulumi)).toEqual(parseSettings("dev", fromYaml));
  });

  it("is frozen all the way down", () => {
    const settings = parseSettings("dev", LOOPBACK);
    expect([settings, settings.image, settings.source, settings.source.tags].every(Object.isFrozen)).toBe(true);
  });

  it.each<[string, Readonly<Record<string, unknown>>, string, RegExp]>([
    ["no registry", {}, "kiln:registry is not set", /localhost:5180.*ghcr\.io/],
    ["a number for a text", { registry: 5180 }, "kiln:registry must be text, but is the number 5180", /"5180"/],
    ["a registry of no known kind", { registry: "docker.io/me" }, 'kiln:registry is "docker.io/me"', /ghcr\.io/],
    ["capitals in GHCR", { registry: "ghcr.io/Acme/infra" }, "kiln:registry is", /lower case/],
    ["a warm image by tag", { ...LOOPBACK, warmImage: "r/warm:latest" }, 'kiln:warmImage is "r/warm:latest"', /tag/],
    ["a short digest", { ...LOOPBACK, warmImage: "r/warm@sha256:abc" }, "kiln:warmImage is", /cache bake/],
    ["an unknown Dockerfile", { ...LOOPBACK, image: { dockerfile: "x" } }, "kiln:image.dockerfile is", /merged or/],
    [
      "an unknown plugin mode",
      { ...LOOPBACK, image: { plugins: "all" } },
      "kiln:image.plugins is",
      /none or layer or vol/,
    ],
    [
      "plugins in the layers of a standalone image",
      { ...LOOPBACK, image: { dockerfile: "standalone", plugins: "layer" } },
      "kiln:image.plugins cannot be layer",
      /none or volume.*merged/,
    ],
    ["an unknown layout", { ...LOOPBACK, image: { store: "zip" } }, "kiln:image.store is", /packed or loose/],
    [
      "an unknown form of programs",
      { ...LOOPBACK, image: { programs: "all" } },
      "kiln:image.programs is",
      /cache or binaries or both/,
    ],
    [
      "packs of a standalone image",
      { ...LOOPBACK, image: { dockerfile: "standalone", store: "packed" } },
      "kiln:image.store cannot be packed",
      /remove it.*merged/,
    ],
    [
      "binaries of a standalone image",
      { ...LOOPBACK, image: { dockerfile: "standalone", programs: "both" } },
      "kiln:image.programs cannot be both",
      /remove it.*merged/,
    ],
    ["an unknown platform", { ...LOOPBACK, image: { platform: "amd64" } }, "kiln:image.platform is", /linux\/amd64/],
    [
      "a number as a tag",
      { ...LOOPBACK, image: { tag: 1 } },
      "kiln:image.tag must be text, but is the number 1",
      /"1"/,
    ],
    ["a bad tag", { ...LOOPBACK, image: { tag: "a b" } }, 'kiln:image.tag is "a b"', /letters/],
    ["a bad base", { ...LOOPBACK, image: { base: "De bian" } }, 'kiln:image.base is "De bian"', /debian/],
    [
      "a list for a map",
      { ...LOOPBACK, image: ["merged"] },
      "kiln:image must be a map of settings, but is a list",
      /^$/,
    ],
    ["a tag that is none", { ...LOOPBACK, source: { tags: "a b,c" } }, 'kiln:source.tags has "a b"', /commas between/],
    ["a text for a map", { ...LOOPBACK, source: "." }, 'kiln:source must be a map of settings, but is "."', /^$/],
    ["an absolute source", { ...LOOPBACK, source: { path: "/src" } }, 'kiln:source.path is "/src"', /same on every/],
    [
      "a pattern without a module",
      { ...LOOPBACK, source: { modules: "m/{provider}" } },
      "kiln:source.modules is",
      /\{m/,
    ],
    ["a word for a flag", { ...LOOPBACK, buildOnPreview: "yes" }, "kiln:buildOnPreview must be true or false", /^$/],
    [
      "tags of a standalone image",
      { ...LOOPBACK, image: { dockerfile: "standalone" }, source: { tags: "netgo" } },
      "kiln:source.tags cannot be set when kiln:image.dockerfile is standalone",
      /takes no build tags/,
    ],
    [
      "a standalone image of another checkout",
      { ...LOOPBACK, image: { dockerfile: "standalone" }, source: { path: "../infra" } },
      "kiln:source.path must be .",
      /merged/,
    ],
    [
      "a standalone image for arm64 whose tools would be amd64's",
      { ...LOOPBACK, image: { dockerfile: "standalone", platform: "linux/arm64" } },
      "kiln:image.platform cannot be linux/arm64",
      /kiln:image\.tools.*merged/,
    ],
  ])("refuses %s with the file, the key and the mend", (_, raw, message, mend) => {
    const refusal = refusalOf(raw);
    expect(refusal.kind).toBe("usage");
    expect(refusal.message).toContain(`stacks/Pulumi.dev.yaml: ${message}`);
    expect(refusal.mend ?? "").toMatch(mend);
  });
});

describe("a misspelt key", () => {
  const sections = {
    "": ["registry", "warmImage", "image", "source", "buildOnPreview"],
    "image.": ["dockerfile", "platform", "tag", "base", "tools", "certificates", "plugins"],
    "source.": ["path", "modules"],
  };
  const known = Object.entries(sections).flatMap(([prefix, keys]) => keys.map((key) => ({ prefix, key, keys })));
  const withKey = (prefix: string, key: string) =>
    prefix === "" ? { ...LOOPBACK, [key]: "x" } : { ...LOOPBACK, [prefix.slice(0, -1)]: { [key]: "x" } };

  it("is refused, and a single wrong character is enough to be understood", () => {
    const letter = fc.constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyz"));
    const edit = fc.constantFrom("insert", "delete", "replace");
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.nat(), letter, edit, ({ prefix, key, keys }, at, by, how) => {
        const index = at % (how === "insert" ? key.length + 1 : key.length);
        const rest = key.slice(how === "insert" ? index : index + 1);
        const misspelt = `${key.slice(0, index)}${how === "delete" ? "" : by}${rest}`;
        fc.pre(!keys.includes(misspelt));
        const refusal = refusalOf(withKey(prefix, misspelt));
        expect(refusal.message).toBe(`stacks/Pulumi.dev.yaml: kiln:${prefix}${misspelt} is not a setting`);
        expect(refusal.mend).toBe(`Did you mean kiln:${prefix}${key}?`);
      }),
    );
  });

  it("that resembles nothing gets the list of what there is", () => {
    expect(refusalOf({ ...LOOPBACK, image: { entrypoint: "x" } }).mend).toBe(
      "Remove it: the settings here are dockerfile, platform, tag, base, tools, certificates, plugins, store, programs",
    );
  });

  it("that is spelt with other capitals is understood", () => {
    expect(refusalOf({ ...LOOPBACK, WARMIMAGE: WARM }).mend).toBe("Did you mean kiln:warmImage?");
  });
});

describe("the recipe of the runner image", () => {
  it("is the warm image, with the record of its check", () => {
    const settings = parseSettings("local", { ...LOOPBACK, warmImage: WARM });
    expect(recipeOf(settings)).toEqual({
      kind: "merged",
      warmImage: WARM,
      verification: verificationOf(WARM, settings.source),
    });
  });

  it("needs no warm image when it is standalone", () => {
    expect(recipeOf(parseSettings("dev", { ...LOOPBACK, image: { dockerfile: "standalone" } }))).toEqual({
      kind: "standalone",
      base: "docker.io/library/debian:bookworm-slim",
      modules: "examples/modules/{provider}/{module}",
      tools: undefined,
      certificates: undefined,
    });
  });

  it("without a warm image is refused in one sentence that names both commands", () => {
    expect(() => requireWarmImage(parseSettings("dev", LOOPBACK))).toThrow(
      "no warm image is set for stack dev: bake one with `npx kiln cache bake --stack dev`, " +
        "or take a verified one from another stack with `npx kiln release promote --from <stack> --to dev`",
    );
  });
});

describe("verificationOf", () => {
  it("points at the record beside the warm image", () => {
    expect(verificationOf(WARM, { path: ".", modules: "m/{provider}/{module}", tags: [] })).toEqual({
      of: WARM,
      record: `localhost:5180/kiln/base-images/iac-runner-warm:sha256-${"0123456789abcdef".repeat(4)}`,
      command: `npx kiln cache verify --image ${WARM} --source . --modules 'm/{provider}/{module}'`,
    });
  });

  it("repeats the check with the tags that the image was warmed with", () => {
    const source = { path: ".", modules: "m/{provider}/{module}", tags: ["a", "b"] };
    expect(verificationOf(WARM, source).command).toMatch(/ --tags a,b$/);
  });
});

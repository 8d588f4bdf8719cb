import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  copyWithReferrers,
  hasBlob,
  readReferrers,
  readTags,
  type ImageManifest,
  type RegistryClient,
} from "../../../registry/client.ts";
import { copyImage, isComplete, readMissing, requireCopy, type ImageCopy } from "../../../registry/copy.ts";
import { silent } from "../../../progress.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`;
const FROM = "ghcr.io/acme/dev/warm";
const TO = "localhost:5182/kiln/warm";
const TLS_OFF = ["--host", "reg=localhost:5182,tls=disabled"];

/** A regctl that notes its arguments and answers by the first words that all stand in them: what it prints, or nothing for a 404. */
async function regctl(answers: readonly (readonly [words: string, stdout: string | undefined])[]) {
  const home = await temporaryDirectory();
  const client: RegistryClient = { regctl: path.join(home, "regctl") };
  const cases = answers.map(([words, stdout]) => {
    const holds = words.split(" ").map((word) => `case " $* " in *" ${word} "*) ;; *) false ;; esac`);
    const answer = stdout === undefined ? "echo 'not found [http 404]' >&2; exit 1" : `printf '%s' '${stdout}'; exit 0`;
    return `if ${holds.join(" && ")}; then ${answer}; fi`;
  });
  await writeFile(client.regctl, `#!/bin/sh\necho "$*" >>${home}/calls\n${cases.join("\n")}\n`);
  await chmod(client.regctl, 0o755);
  const calls = async () => (await readFile(path.join(home, "calls"), "utf8").catch(() => "")).trim().split("\n");
  return { client, calls };
}

const layer = (digit: string) => ({ mediaType: "x", digest: digestOf(digit), size: 10 });
const manifest: ImageManifest = { schemaVersion: 2, config: layer("c"), layers: [layer("1"), layer("2"), layer("1")] };
const config = (...ids: readonly string[]) => ({
  ...{ architecture: "amd64", os: "linux" },
  rootfs: { type: "layers" as const, diff_ids: ids.map(digestOf) },
});
const copy: ImageCopy = {
  ...{ from: { repository: FROM, digest: digestOf("a") }, to: TO, tag: "promoted-a" },
  image: { manifest, config: config("d", "e", "d") },
};

describe("what a target lacks", () => {
  it("is every blob once, everything attached, and the manifest, where there is nothing", async () => {
    const { client } = await regctl([
      [`artifact list ${FROM}@${digestOf("a")}`, digestOf("r")],
      [`artifact list ${FROM}@${digestOf("r")}`, digestOf("s")],
      [`tag ls ${FROM}`, `sha256-${"a".repeat(64)}.sig`],
      ["head", undefined],
    ]);
    const missing = await readMissing(client, copy);
    expect(missing).toEqual({
      blobs: [layer("c"), layer("1"), layer("2")],
      ...{ bytes: 30, manifest: true },
      attached: [digestOf("r"), digestOf("s"), `sha256-${"a".repeat(64)}.sig`],
    });
    expect(isComplete(missing)).toBe(false);
  });

  it("is what a broken-off copy did not reach", async () => {
    const { client } = await regctl([
      [`blob head ${TO} ${digestOf("2")}`, undefined],
      ["blob head", ""],
      ["manifest head", digestOf("a")],
      [`artifact list ${FROM}@${digestOf("a")}`, `${digestOf("r")}\n${digestOf("q")}`],
      [`artifact list ${TO}@${digestOf("a")}`, digestOf("r")],
      ["list", ""],
      ["ls", ""],
    ]);
    const missing = await readMissing(client, copy);
    expect(missing).toEqual({ blobs: [layer("2")], bytes: 10, manifest: false, attached: [digestOf("q")] });
  });
});

describe("copying", () => {
  it("sends the blobs that lack, with progress, then the manifest with all that refers to it under a tag", async () => {
    const { client, calls } = await regctl([]);
    const said: string[] = [];
    const progress = {
      ...silent,
      update: (text: string, done: number, total: number) => said.push(`${text} ${done}/${total}`),
    };
    const missing = { blobs: [layer("1"), layer("2")], bytes: 20, manifest: true, attached: [] };
    await copyImage(client, copy, missing, progress);
    expect(await calls()).toEqual([
      ...["1", "2"].map((digit) => ["blob copy", FROM, TO, digestOf(digit), ...TLS_OFF].join(" ")),
      [
        "image copy --referrers --digest-tags --force-recursive",
        `${FROM}@${digestOf("a")}`,
        `${TO}:promoted-a`,
        ...TLS_OFF,
      ].join(" "),
    ]);
    expect(said).toEqual(["blob 1 of 2 0/20", "blob 2 of 2 10/20"]);
  });

  it("calls nothing where nothing lacks", async () => {
    const { client, calls } = await regctl([]);
    await copyImage(client, copy, { blobs: [], bytes: 0, manifest: false, attached: [] }, silent);
    expect(await calls()).toEqual([""]);
  });

  it.each<[string, readonly (readonly [string, string | undefined])[]]>([
    ["has no manifest under the tag", [["manifest head", undefined]]],
    ["has another manifest under the tag", [["manifest head", digestOf("b")]]],
    [
      "has other layers",
      [
        ["manifest head", digestOf("a")],
        ["manifest get", JSON.stringify(manifest)],
        ["blob get", JSON.stringify(config("d", "e", "f"))],
      ],
    ],
  ])("is not done where the target %s", async (_, answers) => {
    const { client } = await regctl(answers);
    await expect(requireCopy(client, copy)).rejects.toMatchObject({ kind: "difference" });
  });

  it("is done where digest and layers are the same", async () => {
    const { client } = await regctl([
      ["manifest head", digestOf("a")],
      ["manifest get", JSON.stringify(manifest)],
      ["blob get", JSON.stringify(config("d", "e", "d"))],
    ]);
    await requireCopy(client, copy);
  });
});

describe("the client", () => {
  it("asks for referrers of one type or of any", async () => {
    const { client, calls } = await regctl([["list", `${digestOf("r")}\n`]]);
    const image = { repository: TO, digest: digestOf("a") };
    expect(await readReferrers(client, image, "x/y")).toEqual([digestOf("r")]);
    await readReferrers(client, image);
    const [typed, any] = await calls();
    expect(typed).toContain("--filter-artifact-type x/y");
    expect(any).not.toContain("--filter-artifact-type");
  });

  it("finds no tags and no blobs in a repository that is not there", async () => {
    const { client } = await regctl([
      ["ls", undefined],
      ["head", undefined],
    ]);
    expect(await readTags(client, TO, "x.*")).toEqual([]);
    expect(await hasBlob(client, TO, digestOf("1"))).toBe(false);
  });

  it("says of a registry that takes no push that it is read-only", async () => {
    const { client } = await regctl([]);
    await writeFile(
      client.regctl,
      "#!/bin/sh\necho 'unexpected http status code: Method Not Allowed [http 405]' >&2; exit 1\n",
    );
    await expect(copyWithReferrers(client, copy.from, { repository: TO, tag: "t" })).rejects.toMatchObject({
      ...{ kind: "unreachable", message: `the registry localhost:5182 is read-only: it takes no push to ${TO}` },
    });
  });
});

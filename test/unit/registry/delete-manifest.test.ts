import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { deleteManifest } from "../../../registry/delete-manifest.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const IMAGE = { repository: "localhost:5180/kiln/warm", digest: `sha256:${"a".repeat(64)}` };

/** A regctl of a few lines of shell, which notes its calls. */
async function regctl(script: string) {
  const home = await temporaryDirectory();
  const [file, notes] = [path.join(home, "regctl"), path.join(home, "calls")];
  await writeFile(file, `#!/bin/sh\necho "$1 $2 $3 $4" >> ${notes}\n${script}\n`);
  await chmod(file, 0o755);
  return { client: { regctl: file }, calls: async () => (await readFile(notes, "utf8")).trim().split("\n") };
}

describe("deleteManifest", () => {
  it("deletes by digest, and then only such tags as point to nothing", async () => {
    const { client, calls } = await regctl(`case "$1 $2 $3" in
      "tag ls --include") printf 'left\\nagain\\nother\\n' ;;
      "manifest head localhost:5180/kiln/warm:left") echo "not found" >&2; exit 1 ;;
      "manifest head localhost:5180/kiln/warm:again") echo sha256:new ;;
    esac`);
    await deleteManifest(client, IMAGE, ["left", "again", "gone"]);
    expect((await calls()).filter((call) => call.includes("delete"))).toEqual([
      `manifest delete --ignore-missing ${IMAGE.repository}@${IMAGE.digest}`,
      `tag delete --ignore-missing ${IMAGE.repository}:left`,
    ]);
  });

  it("says how a registry is made to delete that does not", async () => {
    const said = "unexpected http status code: Method Not Allowed [http 405]: UNSUPPORTED";
    const { client } = await regctl(`echo "request failed: ${said}" >&2; exit 1`);
    await expect(deleteManifest(client, IMAGE, [])).rejects.toMatchObject({
      kind: "unreachable",
      message: "the registry localhost:5180 deletes nothing from localhost:5180/kiln/warm",
      mend: expect.stringContaining("storage.delete.enabled") as string,
    });
  });

  it("lets every other failure through", async () => {
    const { client } = await regctl('echo "dial tcp: connection refused" >&2; exit 1');
    const error = { kind: "unreachable", message: expect.stringContaining("does not answer") as string };
    await expect(deleteManifest(client, IMAGE, ["x"])).rejects.toMatchObject(error);
  });
});

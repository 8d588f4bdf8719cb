import { describe, expect, it } from "vitest";
import { listText, sbomCommand } from "../../../../cli/release/sbom.ts";
import { silent } from "../../../../progress.ts";
import { goModule } from "../../../../release/supply/package.ts";

const image = { repository: "localhost:5181/kiln/runner-pulumi-golang", digest: `sha256:${"a".repeat(64)}` };
const NAME = `${image.repository}@${image.digest}`;
const list = (isSealed: boolean, name = "github.com/acme/tool") => ({
  ...{ digest: `sha256:${"b".repeat(64)}`, document: {}, isSealed },
  packages: [goModule(`${name}@v1.2.3`, "usr/local/bin/tool")],
});

describe("a list of packages in lines for a person", () => {
  it("names each package and where it was found, and who stands for the list", () => {
    const lines = listText({ image, list: list(false) }).split("\n");
    expect(lines).toEqual([
      NAME,
      expect.stringMatching(/^ +github\.com\/acme\/tool +v1\.2\.3 +usr\/local\/bin\/tool$/) as string,
      `1 packages, listed in sha256:${"b".repeat(64)}; unsigned: it tells those who trust the registry's writers`,
    ]);
    expect(listText({ image, list: list(true) })).toContain("; sealed: `kiln release verify` verifies who signed it");
  });

  it("shows what would act on a terminal, and obeys none of it", () => {
    const text = listText({ image, list: list(false, "a\u001b]52;c;x\u0007\nb") });
    expect(text).not.toMatch(/[\u001b\u0007]/);
    expect(text.split("\n")).toHaveLength(3);
  });

  it("says of an image without one that it has none", () => {
    expect(listText({ image, list: undefined })).toBe(`${NAME}\nhas no list of packages (SBOM)`);
  });

  it("is asked for by digest", async () => {
    const asked = sbomCommand.run({ values: { image: ["a:latest"] }, positionals: [], progress: silent });
    await expect(asked).rejects.toMatchObject({ kind: "usage" });
  });
});

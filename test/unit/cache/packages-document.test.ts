import path from "node:path";
import { describe, expect, it } from "vitest";
import { localDigests, packagesDocument, parsedDocument } from "../../../cache/packages-document.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { CONTRACT, writeCache } from "./cache-directory.ts";

const INPUTS = {
  programs: {
    "m/a": { goFiles: ["go.mod"], packages: ["lib", "m/a"], modules: {} },
    "m/b": { goFiles: ["b/go.mod"], packages: ["m/b"], modules: {} },
  },
  goFiles: { "go.mod": { go: "1.26" }, "b/go.mod": { go: "1.25" } },
  packages: { lib: { "lib.go": "1" }, "m/a": { "main.go": "2" }, "m/b": { "main.go": "3" } },
};

describe("packagesDocument", () => {
  it("has each package's archive in its layer, with its bytes", async () => {
    const cache = path.join(await temporaryDirectory(), "cache");
    const manifest = await writeCache(
      cache,
      { aws: { packages: ["fmt", "aws"], modules: [] }, gcp: { packages: ["fmt", "gcp"], modules: [] } },
      { inputs: { aws: INPUTS } },
    );
    const document = await packagesDocument(cache, manifest, { aws: 9, common: 8 });
    expect(document).toEqual({
      version: 1,
      contract: CONTRACT,
      layers: { common: { fmt: 14 }, aws: { aws: 14 }, gcp: { gcp: 14 } },
      sizes: { aws: 9, common: 8 },
      local: localDigests([INPUTS]),
    });
    expect(parsedDocument(JSON.stringify(document))).toEqual(document);
  });
});

describe("localDigests", () => {
  const before = localDigests([INPUTS]);
  const changed = (inputs: typeof INPUTS) => {
    const after = localDigests([inputs]);
    return Object.keys(before).filter((directory) => after[directory] !== before[directory]);
  };

  it("changes with a package's own files", () => {
    expect(changed({ ...INPUTS, packages: { ...INPUTS.packages, lib: { "lib.go": "other" } } })).toEqual(["lib"]);
  });

  it("changes with the language of the go.mod that governs it", () => {
    expect(changed({ ...INPUTS, goFiles: { ...INPUTS.goFiles, "b/go.mod": { go: "1.26" } } })).toEqual(["m/b"]);
    expect(changed({ ...INPUTS, goFiles: { ...INPUTS.goFiles, "go.mod": { go: "1.27" } } })).toEqual(["lib", "m/a"]);
  });
});

describe("parsedDocument", () => {
  const document = { version: 1, contract: CONTRACT, layers: {}, sizes: {}, local: {} };

  it.each<[string, unknown]>([
    ["another version", { ...document, version: 2 }],
    ["no contract", { ...document, contract: undefined }],
    ["layers that are none", { ...document, layers: { aws: ["fmt"] } }],
    ["bytes that are none", { ...document, layers: { aws: { fmt: "14" } } }],
    ["digests that are none", { ...document, local: { lib: 1 } }],
  ])("takes none with %s", (_, found) => {
    expect(parsedDocument(JSON.stringify(document))).toEqual(document);
    expect(parsedDocument(JSON.stringify(found))).toBeUndefined();
  });

  it("takes none that is broken off", () => {
    expect(parsedDocument('{"version":1,')).toBeUndefined();
  });
});

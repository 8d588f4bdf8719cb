import { describe, expect, it } from "vitest";
import { PACKED_LABELS, requireServedPacks } from "../../../cache/served-packs.ts";
import type { ImageConfig } from "../../../registry/client.ts";

const image = (labels?: Readonly<Record<string, string>>): ImageConfig => ({
  ...{ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } },
  ...(labels === undefined ? {} : { config: { Labels: labels } }),
});
const [packed, loose] = [image(PACKED_LABELS), image()];

describe("requireServedPacks", () => {
  it("refuses packed layers on a base that does not serve them", () => {
    expect(() => {
      requireServedPacks(image({ "dev.kiln.store": "loose" }), [loose, packed]);
    }).toThrow("the base has no program that serves packs");
  });

  it.each([
    ["packed layers on a base that serves them", packed, [packed, loose]],
    ["loose layers on any base", loose, [loose]],
    ["loose layers on a base that serves packs", packed, [loose]],
  ])("takes %s", (_, base, layers) => {
    expect(() => {
      requireServedPacks(base, layers);
    }).not.toThrow();
  });
});

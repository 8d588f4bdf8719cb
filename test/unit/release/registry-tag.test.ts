import { describe, expect, it } from "vitest";
import { tagName } from "../../../cache/tag-name.ts";
import { registryTag, type RegistryTag } from "../../../release/registry-tag.ts";

const KEY = "0123456789abcdef0123456789abcdef";

describe("registryTag", () => {
  it.each<[RegistryTag["kind"], string]>([
    ["release", "v1.2.3"],
    ["release", "v1.2.3-rc.1"],
    ["release", "latest"],
    ["layer", `layer-aws-${KEY}`],
    ["layer", `layer-${tagName("Plugin aws@7.2.0 (linux)")}-${KEY}`],
    ["base", "base-0123456789abcdef"],
    ["build", `inputs-${KEY}`],
    ["build", `promoted-${KEY}`],
    ["build", `verified-azure-${KEY}`],
    ["build", `shard-base-${KEY}`],
    ["note", "kiln-unused-since"],
    ["used", "used-20260131-0123456789ab"],
    ["foreign", "1.2.3"],
    ["foreign", "v1.2"],
    ["foreign", "Latest"],
    ["foreign", "nightly"],
    ["foreign", "layer-aws"],
    ["foreign", `layer-aws-${KEY}0`],
    ["foreign", "base-image"],
    ["foreign", "inputs-1"],
    ["foreign", "sha256-abc"],
    ["foreign", "promoted-by-hand"],
    ["foreign", "used-20260131-by-hand"],
  ])("takes %s for %s", (kind, tag) => {
    expect(registryTag(tag)).toEqual({ kind });
  });

  it.each(["", ".sig", ".att", ".sbom"])("knows what a digest with %j behind it is attached to", (suffix) => {
    const digits = KEY + KEY;
    expect(registryTag(`sha256-${digits}${suffix}`)).toEqual({ kind: "attached", subject: `sha256:${digits}` });
  });
});

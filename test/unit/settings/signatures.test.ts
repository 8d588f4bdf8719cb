import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../settings.ts";
import { GITHUB_ISSUER } from "../../../settings/signatures.ts";

const WORKFLOW = "https://github.com/acme/infra/.github/workflows/image.yml@refs/heads/main";
const signatures = (value: unknown) =>
  parseSettings("dev", { registry: "localhost:5180", signatures: value }).signatures;

describe("whose signature a stack demands", () => {
  it.each<[unknown, unknown]>([
    [undefined, undefined],
    [{}, undefined],
    ["{}", undefined],
    [{ identity: WORKFLOW }, { kind: "keyless", identities: [WORKFLOW], issuer: GITHUB_ISSUER }],
    [
      { identity: [WORKFLOW, "me@acme.example"], issuer: "https://issuer.acme.example" },
      { kind: "keyless", identities: [WORKFLOW, "me@acme.example"], issuer: "https://issuer.acme.example" },
    ],
    [
      { identity: WORKFLOW, repository: "acme/apps" },
      { kind: "keyless", identities: [WORKFLOW], issuer: GITHUB_ISSUER, repository: "acme/apps" },
    ],
    [{ key: "keys/cosign.pub" }, { kind: "key", key: "keys/cosign.pub" }],
    // As Pulumi hands it to a program.
    [JSON.stringify({ key: "awskms:///alias/kiln" }), { kind: "key", key: "awskms:///alias/kiln" }],
  ])("%j is %j", (value, read) => {
    expect(signatures(value)).toEqual(read);
  });

  it.each<[string, unknown, string]>([
    ["both", { identity: WORKFLOW, key: "cosign.pub" }, "kiln:signatures names not exactly one signer"],
    ["an issuer alone", { issuer: GITHUB_ISSUER }, "kiln:signatures names not exactly one signer"],
    ["an issuer of a key", { issuer: GITHUB_ISSUER, key: "cosign.pub" }, "names not exactly one signer"],
    ["a repository of a key", { repository: "acme/apps", key: "cosign.pub" }, "names not exactly one signer"],
    ["an address of a repository", { identity: WORKFLOW, repository: "https://a/b/c" }, "which is no repository"],
    ["a pattern", { identity: "https://github.com/acme/*" }, "is compared as a whole"],
    ["nobody", { identity: [] }, "kiln:signatures.identity is empty"],
    ["no text", { identity: [""] }, "kiln:signatures.identity[0] is not set"],
    ["no address", { identity: WORKFLOW, issuer: "github" }, 'kiln:signatures.issuer is "github", which is no https'],
    ["an empty key", { key: "" }, "kiln:signatures.key is not set"],
    ["a misspelling", { identiy: WORKFLOW }, "Did you mean kiln:signatures.identity?"],
  ])("refuses %s", (_, value, said) => {
    const refusal = (() => {
      try {
        signatures(value);
      } catch (error) {
        return error as { message: string; mend?: string; kind: string };
      }
      return undefined;
    })();
    expect(`${refusal?.message ?? ""} ${refusal?.mend ?? ""}`).toContain(said);
    expect(refusal?.kind).toBe("usage");
  });
});

import { chmod, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { cosignNotary, policyFlags } from "../../../../release/supply/cosign.ts";
import { signerHere } from "../../../../release/supply/signer.ts";
import type { SignaturePolicy } from "../../../../settings/signatures.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const [MAIN, PROMOTE] = ["image", "promote"].map(
  (name) => `https://github.com/acme/infra/.github/workflows/${name}.yml@refs/heads/main`,
) as [string, string];
const ISSUER = "https://token.actions.githubusercontent.com";
const KEY: SignaturePolicy = { kind: "key", key: "keys/cosign.pub" };
const CLAIM = { digest: `sha256:${"a".repeat(64)}`, predicateType: "https://spdx.dev/Document" };

let folder: string;
/** A stand-in for cosign that notes its arguments and what it knows of secrets, and then does as it is told. */
async function cosign(script: string) {
  const file = path.join(folder, "cosign");
  const notes = `printf '%s\\n' "$@" > "${folder}/arguments"; echo "$COSIGN_PASSWORD" > "${folder}/password"`;
  await writeFile(file, `#!/bin/sh\n${notes}\n${script}\n`);
  await chmod(file, 0o755);
  return cosignNotary(() => Promise.resolve(file), "/project", { PATH: process.env.PATH, COSIGN_PASSWORD: "sesame" });
}
const noted = async (name: string) => (await readFile(path.join(folder, name), "utf8")).trimEnd().split("\n");

beforeEach(async () => {
  folder = await temporaryDirectory();
});

describe("cosign", () => {
  it("signs with a key without any service, its password in the environment alone", async () => {
    const notary = await cosign(`shift; while [ "$1" != --bundle ]; do shift; done; echo bundle > "$2"`);
    expect(await notary.sign("{}", { kind: "key", key: "/keys/cosign.key" })).toBe("bundle\n");
    const args = await noted("arguments");
    expect(args).toEqual(expect.arrayContaining(["--key", "/keys/cosign.key", "--tlog-upload=false"]));
    expect(args.join(" ")).not.toContain("sesame");
    expect(await noted("password")).toEqual(["sesame"]);
  });

  it("signs by OIDC by the same call, with the services that Sigstore names", async () => {
    const notary = await cosign(`shift; while [ "$1" != --bundle ]; do shift; done; echo bundle > "$2"`);
    expect(await notary.sign("{}", { kind: "oidc" })).toBe("bundle\n");
    const args = await noted("arguments");
    expect([args[0], args.includes("--yes"), args.includes("--key")]).toEqual(["attest-blob", true, false]);
  });

  it.each([
    ["decrypt: encrypted: decryption failed", "failed", "COSIGN_PASSWORD"],
    ["dial tcp: lookup fulcio.sigstore.dev: no such host", "unreachable", "reach Sigstore"],
  ])("that cannot sign because of %j is %s", async (said, kind, mend) => {
    const notary = await cosign(`echo "WARNING: old" >&2; echo "Enter password: Error: ${said}" >&2; exit 1`);
    const error = await notary.sign("{}", { kind: "key", key: "k" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind, message: `cannot sign: ${said}` });
    expect((error as { mend: string }).mend).toContain(mend);
  });

  it("verifies digest, type and signer, and is told no secret", async () => {
    const notary = await cosign("exit 0");
    expect(await notary.faultOf("{}", CLAIM, KEY)).toBeUndefined();
    const [command, ...args] = await noted("arguments");
    expect(command).toBe("verify-blob-attestation");
    expect(args.slice(2)).toEqual([
      ...["--digest", "a".repeat(64), "--digestAlg", "sha256", "--type", CLAIM.predicateType],
      ...["--key", "/project/keys/cosign.pub", "--insecure-ignore-tlog=true"],
    ]);
    expect(await noted("password")).toEqual([""]);
  });

  it("says what is wrong with a bundle, and tells that from a trust root out of reach", async () => {
    const wrong = await cosign(`echo "Error: failed to verify signature" >&2; exit 1`);
    expect(await wrong.faultOf("{}", CLAIM, KEY)).toBe("failed to verify signature");
    const away = await cosign(`echo "Error: getting trusted root from TUF: dial tcp: no such host" >&2; exit 1`);
    await expect(away.faultOf("{}", CLAIM, KEY)).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("tells a certificate that somebody attached from that of a server that is not trusted", async () => {
    const attached = await cosign(`echo "Error: x509: malformed certificate" >&2; exit 1`);
    expect(await attached.faultOf("{}", CLAIM, KEY)).toBe("x509: malformed certificate");
    const said = "getting root: tls: failed to verify certificate: x509: certificate signed by unknown authority";
    const intercepted = await cosign(`echo "Error: ${said}" >&2; exit 1`);
    await expect(intercepted.faultOf("{}", CLAIM, KEY)).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("asks for each repository whose workflows may sign, until one of them did", async () => {
    const other = MAIN.replace("acme/infra", "acme/tools");
    const policy: SignaturePolicy = { kind: "keyless", identities: [MAIN, other], issuer: ISSUER };
    const one = await cosign(`case "$*" in *acme/tools) exit 0;; esac; echo "Error: no match" >&2; exit 1`);
    expect(await one.faultOf("{}", CLAIM, policy)).toBeUndefined();
    const none = await cosign(`echo "Error: no match" >&2; exit 1`);
    expect(await none.faultOf("{}", CLAIM, policy)).toBe("no match; no match");
  });

  it("takes one identity as it is, and several as a pattern that matches them alone", () => {
    const flags = (...identities: string[]) => policyFlags({ kind: "keyless", identities, issuer: ISSUER }, "/project");
    const rest = ["--certificate-oidc-issuer", ISSUER, "--certificate-github-workflow-repository", "acme/infra"];
    expect(flags(MAIN)).toEqual([["--certificate-identity", MAIN, ...rest]]);
    const [[name, pattern = "", ...same] = [], ...more] = flags(MAIN, PROMOTE);
    expect([same, more]).toEqual([rest, []]);
    expect(name).toBe("--certificate-identity-regexp");
    const matches = [MAIN, PROMOTE, `${MAIN}x`, `x${MAIN}`, MAIN.replace("image.yml", "imageXyml")];
    expect(matches.map((text) => new RegExp(pattern).test(text))).toEqual([true, true, false, false, false]);
  });
});

describe("a workflow that anybody may call", () => {
  type Keyless = Extract<SignaturePolicy, { readonly kind: "keyless" }>;
  const repositories = (change: Partial<Keyless>) => {
    const policy: Keyless = { kind: "keyless", identities: [MAIN], issuer: ISSUER, ...change };
    return policyFlags(policy, "/project").map((flags) => flags.slice(4));
  };
  const flag = "--certificate-github-workflow-repository";

  it.each<[string, Partial<Keyless>, readonly (readonly string[])[]]>([
    ["in its own repository", {}, [[flag, "acme/infra"]]],
    ["in the one that the policy names", { repository: "acme/apps" }, [[flag, "acme/apps"]]],
    ["wherever another issuer says", { issuer: "https://issuer.acme.example" }, [[]]],
    ["that is none", { identities: ["me@acme.example"] }, [[]]],
    ["beside a person", { identities: [MAIN, "me@acme.example"] }, [[flag, "acme/infra"], []]],
  ])("signs %s", (_, policy, flags) => {
    expect(repositories(policy)).toEqual(flags);
  });
});

describe("who signs here", () => {
  it.each([{ ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t" }, { SIGSTORE_ID_TOKEN: "t" }])("an issuer, by %j", async (env) => {
    expect(await signerHere(undefined, env)).toEqual({ kind: "oidc" });
  });

  it("a key, before any issuer, and nobody else", async () => {
    const key = path.join(folder, "cosign.key");
    await writeFile(key, "");
    expect(await signerHere(key, { SIGSTORE_ID_TOKEN: "t" })).toEqual({ kind: "key", key });
    expect(await signerHere("awskms:///alias/kiln", {})).toEqual({ kind: "key", key: "awskms:///alias/kiln" });
    const variable = { KILN_SIGNING_KEY: "gcpkms://projects/p", SIGSTORE_ID_TOKEN: "t" };
    expect(await signerHere(undefined, variable)).toEqual({ kind: "key", key: "gcpkms://projects/p" });
    expect(await signerHere(undefined, { ...variable, KILN_SIGNING_KEY: "" })).toEqual({ kind: "oidc" });
    await expect(signerHere("gone.key", {})).rejects.toMatchObject({ kind: "usage" });
    await expect(signerHere(undefined, { SIGSTORE_ID_TOKEN: "" })).rejects.toThrow("there is nobody to sign as");
  });
});

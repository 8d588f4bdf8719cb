import { generateKeyPairSync, sign, verify, type KeyObject } from "node:crypto";
import type { Notary, Signer } from "../../release/supply/cosign.ts";
import { hexOf, parseStatement } from "../../release/supply/statement.ts";
import type { SignaturePolicy } from "../../settings/signatures.ts";

const TYPE = "application/vnd.in-toto+json";

/** Where no signature is asked for, none is made or verified. */
export const NO_NOTARY: Notary = {
  sign: () => Promise.reject(new Error("nobody was to sign")),
  faultOf: () => Promise.reject(new Error("no signature was to be verified")),
};

/** What the DSSE protocol signs: type and payload with their lengths. */
const signedBytes = (payload: Buffer) =>
  Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${payload.length} `), payload]);

/** A notary with real signatures whose keys are in memory, one for each name: that of a key, or of an identity. */
export class MemoryNotary implements Notary {
  /** Whom the issuer takes a signer without a key for. */
  identity = "https://github.com/acme/infra/.github/workflows/image.yml@refs/heads/main";
  /** How often somebody signed, and verified. */
  signed = 0;
  verified = 0;
  readonly #keys = new Map<string, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>();

  #key(name: string) {
    const known = this.#keys.get(name) ?? generateKeyPairSync("ed25519");
    this.#keys.set(name, known);
    return known;
  }

  sign(statement: string, signer: Signer): Promise<string> {
    this.signed++;
    const payload = Buffer.from(statement);
    const { privateKey } = this.#key(signer.kind === "key" ? signer.key : this.identity);
    const sig = sign(null, signedBytes(payload), privateKey).toString("base64");
    const dsseEnvelope = { payload: payload.toString("base64"), payloadType: TYPE, signatures: [{ sig }] };
    return Promise.resolve(JSON.stringify({ dsseEnvelope }));
  }

  faultOf(
    bundle: string,
    { digest, predicateType }: Parameters<Notary["faultOf"]>[1],
    policy: SignaturePolicy,
  ): Promise<string | undefined> {
    this.verified++;
    const { dsseEnvelope: envelope } = JSON.parse(bundle) as {
      dsseEnvelope: { payload: string; signatures: readonly { sig: string }[] };
    };
    const payload = Buffer.from(envelope.payload, "base64");
    const names = policy.kind === "key" ? [policy.key] : policy.identities;
    const sound = names.some((name) =>
      envelope.signatures.some(({ sig }) =>
        verify(null, signedBytes(payload), this.#key(name).publicKey, Buffer.from(sig, "base64")),
      ),
    );
    const statement = parseStatement(payload.toString());
    const about = statement?.subject.some((one) => one.digest.sha256 === hexOf(digest)) ?? false;
    if (!sound) return Promise.resolve("accepted signatures do not match threshold");
    return Promise.resolve(about && statement?.predicateType === predicateType ? undefined : "another claim");
  }
}

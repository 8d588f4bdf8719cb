import { isSilent, listOf, refusal, requiredText, section, textOf, type Field } from "./field.ts";

/** Whose signature a stack demands of its images: that of workflows, told by an OIDC issuer, or that of a key. */
export type SignaturePolicy =
  | {
      readonly kind: "keyless";
      /** Any of these may have signed: `https://github.com/<owner>/<repository>/.github/workflows/<file>@<ref>`. */
      readonly identities: readonly string[];
      readonly issuer: string;
      /** The one whose workflows run, `owner/name`; without it that of the identity's file (`signingRepository`). */
      readonly repository?: string;
    }
  /** The public key: a file below the project, or the address of a KMS key (`awskms://…`). */
  | { readonly kind: "key"; readonly key: string };

/** Who tells what runs on GitHub who it is. */
export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";

const KEYS = ["identity", "issuer", "key", "repository"] as const;

/** What a stack demands; nothing for a stack that takes images without a signature. Throws a usage error that names the key. */
export function signaturesOf(field: Field): SignaturePolicy | undefined {
  if (isSilent(field)) return undefined;
  const own = section(field, KEYS);
  const [key, issuer] = [textOf(own("key")), textOf(own("issuer"))];
  const identity = own("identity");
  const repository = textOf(own("repository"));
  if (key !== undefined && [identity.value, issuer, repository].every((value) => value === undefined)) {
    return Object.freeze({ kind: "key", key: requiredText(own("key"), "Name the file of the public key") });
  }
  if (key !== undefined || identity.value === undefined) {
    throw refusal(field, "names not exactly one signer", {
      mend: "Set either identity (with issuer or repository, where they are others), or key",
    });
  }
  const texts = typeof identity.value === "string" ? [textOf(identity) ?? ""] : listOf(identity, identityOf);
  if (texts.length === 0) throw refusal(identity, "is empty", { mend: "Write who signs" });
  return Object.freeze({
    kind: "keyless",
    identities: Object.freeze(texts.map((text) => identityOf({ ...identity, value: text }))),
    issuer: addressOf(own("issuer"), issuer ?? GITHUB_ISSUER),
    ...(repository === undefined ? {} : { repository: repositoryOf(own("repository"), repository) }),
  });
}

/**
 * The repository in which a workflow has to run for its signature to count; nothing for an identity that is no workflow's. The
 * identity of a workflow that others call names its file alone: whoever may call it from elsewhere signs with the same one. Pure.
 */
export function signingRepository(
  { issuer, repository }: Extract<SignaturePolicy, { readonly kind: "keyless" }>,
  identity: string,
): string | undefined {
  const [, own] = /^https:\/\/[^/]+\/([^/]+\/[^/]+)\/\.github\/workflows\//.exec(identity) ?? [];
  if (own === undefined) return undefined;
  return repository ?? (issuer.startsWith(GITHUB_ISSUER) ? own : undefined);
}

/** An identity is compared as a whole, so one with a wildcard would match nobody. */
function identityOf(field: Field): string {
  const text = requiredText(field, "Write who signs");
  if (!/[*\s]/.test(text)) return text;
  throw refusal(field, `is ${JSON.stringify(text)}, but is compared as a whole`, {
    mend: "Write the whole identity, such as https://github.com/ORG/REPO/.github/workflows/FILE.yml@refs/heads/main",
  });
}

function repositoryOf(field: Field, text: string): string {
  if (/^[\w.-]+\/[\w.-]+$/.test(text)) return text;
  throw refusal(field, `is ${JSON.stringify(text)}, which is no repository`, {
    mend: "Write owner/name, of the repository that calls the workflow",
  });
}

function addressOf(field: Field, text: string): string {
  if (/^https:\/\/[^\s]+$/.test(text)) return text;
  throw refusal(field, `is ${JSON.stringify(text)}, which is no https address`, {
    mend: `Set it to the issuer's, such as ${GITHUB_ISSUER}`,
  });
}

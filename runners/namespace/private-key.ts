import { createPrivateKey } from "node:crypto";

/** Labels of PEM blocks that people mistake for the key of an App, and what they are. */
const OTHERS: Readonly<Record<string, string>> = {
  CERTIFICATE: "is a certificate, not a private key",
  "PUBLIC KEY": "is a public key, not a private one",
  "RSA PUBLIC KEY": "is a public key, not a private one",
  "OPENSSH PRIVATE KEY": "is an SSH key, not the key of a GitHub App",
  "ENCRYPTED PRIVATE KEY": "is encrypted with a passphrase, which the controller does not have",
};

/** GitHub makes keys of 2048 bits; less is refused by what signs with them. */
const LEAST_BITS = 2048;

const BLOCK = /-----BEGIN ([A-Z ]+)-----/;

/**
 * What is wrong with the private key of a GitHub App, as the rest of a sentence such as "its value …"; undefined where it can
 * sign. Only the first block counts, as for the controller. Never repeats any of the key.
 */
export function privateKeyProblem(pem: string): string | undefined {
  if (pem.trim() === "") return "is empty";
  const label = BLOCK.exec(pem)?.[1];
  if (label === undefined) return unlabelled(pem);
  if (/-----\\r?\\n|-----\\n/.test(pem)) return "has the two characters \\n where line breaks belong";
  const other = OTHERS[label];
  if (other !== undefined) return other;
  if (!label.endsWith("PRIVATE KEY")) return "is no private key";
  if (!new RegExp(`-----BEGIN ${label}-----\\r?\\n`).test(pem)) return "has lost its line breaks";
  if (/^Proc-Type: 4,ENCRYPTED/m.test(pem)) return OTHERS["ENCRYPTED PRIVATE KEY"];
  if (!pem.includes(`-----END ${label}-----`)) return "is cut off: its END line is missing";
  return keyProblem(pem);
}

function unlabelled(text: string): string {
  const decoded = Buffer.from(text.trim(), "base64").toString("latin1");
  return BLOCK.test(decoded)
    ? "is a PEM encoded in base64 once more: decode it first"
    : "is no PEM: it has no BEGIN line";
}

function keyProblem(pem: string): string | undefined {
  try {
    const { asymmetricKeyType: type = "unknown", asymmetricKeyDetails } = createPrivateKey(pem);
    if (type !== "rsa") return `is of type ${type}, but the keys of GitHub Apps are RSA keys`;
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    return bits < LEAST_BITS ? `has ${bits} bits, but at least ${LEAST_BITS} are needed` : undefined;
  } catch {
    return "is damaged: it cannot be read as a key";
  }
}

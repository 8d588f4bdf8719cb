import { generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import fc from "fast-check";
import { privateKeyProblem } from "../../../../runners/namespace/private-key.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pkcs1 = rsa.privateKey.export({ type: "pkcs1", format: "pem" }).toString();
const pkcs8 = rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
const curve = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const edwards = generateKeyPairSync("ed25519").privateKey;
const cipher = { cipher: "aes-256-cbc", passphrase: "x" };

it.each([
  ["as GitHub gives it (PKCS 1)", pkcs1],
  ["in PKCS 8", pkcs8],
  ["with line breaks of Windows", pkcs1.replaceAll("\n", "\r\n")],
  ["without the last line break", pkcs1.trimEnd()],
  ["with a comment in front", `key of the platform App\n${pkcs1}`],
])("takes a key %s", (_, pem) => {
  expect(privateKeyProblem(pem)).toBeUndefined();
});

it.each([
  ["nothing", "", "is empty"],
  ["blanks", " \n", "is empty"],
  ["a word", "platform-app", "is no PEM: it has no BEGIN line"],
  ["base64 of the PEM", Buffer.from(pkcs1).toString("base64"), "is a PEM encoded in base64 once more: decode it first"],
  ["literal line breaks", pkcs1.replaceAll("\n", "\\n"), "has the two characters \\n where line breaks belong"],
  ["one line", pkcs1.replaceAll("\n", " "), "has lost its line breaks"],
  [
    "a public key",
    rsa.publicKey.export({ type: "spki", format: "pem" }).toString(),
    "is a public key, not a private one",
  ],
  [
    "a public key in PKCS 1",
    rsa.publicKey.export({ type: "pkcs1", format: "pem" }).toString(),
    "is a public key, not a private one",
  ],
  [
    "a certificate",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "is a certificate, not a private key",
  ],
  [
    "a certificate before the key",
    `-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n${pkcs1}`,
    "is a certificate, not a private key",
  ],
  [
    "an SSH key",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
    "is an SSH key, not the key of a GitHub App",
  ],
  [
    "an encrypted key",
    rsa.privateKey.export({ type: "pkcs8", format: "pem", ...cipher }).toString(),
    "is encrypted with a passphrase, which the controller does not have",
  ],
  [
    "an encrypted key in PKCS 1",
    rsa.privateKey.export({ type: "pkcs1", format: "pem", ...cipher }).toString(),
    "is encrypted with a passphrase, which the controller does not have",
  ],
  ["another block", "-----BEGIN PGP MESSAGE-----\nx\n-----END PGP MESSAGE-----\n", "is no private key"],
  [
    "an elliptic-curve key",
    curve.export({ type: "sec1", format: "pem" }).toString(),
    "is of type ec, but the keys of GitHub Apps are RSA keys",
  ],
  [
    "an elliptic-curve key in PKCS 8",
    curve.export({ type: "pkcs8", format: "pem" }).toString(),
    "is of type ec, but the keys of GitHub Apps are RSA keys",
  ],
  [
    "an Ed25519 key",
    edwards.export({ type: "pkcs8", format: "pem" }).toString(),
    "is of type ed25519, but the keys of GitHub Apps are RSA keys",
  ],
  [
    "a short key",
    weak.export({ type: "pkcs1", format: "pem" }).toString(),
    "has 1024 bits, but at least 2048 are needed",
  ],
  ["a key without its end", pkcs1.slice(0, 900), "is cut off: its END line is missing"],
  ["a key with lines left out", pkcs1.split("\n").toSpliced(5, 3).join("\n"), "is damaged: it cannot be read as a key"],
])("refuses %s", (_, pem, problem) => {
  expect(privateKeyProblem(pem)).toBe(problem);
});

it("repeats nothing of a key, however it is damaged", () => {
  const body = pkcs1.split("\n").slice(1, -2).join("");
  fc.assert(
    fc.property(fc.nat(pkcs1.length), fc.nat(200), fc.string(), (at, count, instead) => {
      const problem = privateKeyProblem(pkcs1.slice(0, at) + instead + pkcs1.slice(at + count)) ?? "";
      for (let start = 0; start + 8 <= body.length; start += 1)
        expect(problem).not.toContain(body.slice(start, start + 8));
    }),
    { numRuns: 60 },
  );
});

import { expect, it } from "vitest";
import { parseExactJson } from "../../../../execution/module/json.ts";
import { secretsOfFile, secretsOfValue } from "../../../../execution/module/secret-texts.ts";

it.each([
  ['"text"', ["text"]],
  ['{"a":{"b":["one",null,true]},"c":"two"}', ["one", "two"]],
  ["12345678", ["12345678"]],
  ["12345678901234567890", ["12345678901234567890"]],
  ["null", []],
])("the texts that tell %s", (value, texts) => {
  expect(secretsOfValue(parseExactJson(value))).toEqual(texts);
});

it.each([
  [
    "an AWS profile",
    "[default]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\nregion = eu-central-1\n",
    ["AKIAIOSFODNN7EXAMPLE"],
  ],
  [
    "a key after a blank",
    "aws_secret_access_key = /JalrXUtnFEMI/K7MDENG+bPxRfiCY\n",
    ["/JalrXUtnFEMI/K7MDENG+bPxRfiCY"],
  ],
  [
    "a kubeconfig",
    "server: https://cluster.example.com:6443\nclient-key-data: TUlJRXZRSUJBREFO==\n",
    ["TUlJRXZRSUJBREFO=="],
  ],
  ["a token alone", "header.payload.signature", ["header.payload.signature", "header.payload.signature"]],
  ["a short token alone", "t0ken\n".trim(), ["t0ken"]],
  ["JSON", '{"type":"service_account","nested":{"client_secret":"s","id":"i"}}', ["s"]],
  ["lists of JSON", '{"tokens":["a",["b",{"id":"i","key":"c"}]],"names":["d",{"password":"e"}]}', ["a", "b", "c", "e"]],
])("the secrets in %s", (_, text, secrets) => {
  expect(secretsOfFile(text)).toEqual(secrets);
});

it("a private key counts as a whole, so that its short last line does too", () => {
  const pem = "-----BEGIN RSA PRIVATE KEY-----\nAAAABBBBCCCCDDDDEEEE\nAB==\n-----END RSA PRIVATE KEY-----";
  expect(secretsOfFile(`x\n${pem}\n`)).toContain(pem);
});

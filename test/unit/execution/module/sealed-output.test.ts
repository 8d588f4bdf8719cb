import { createCipheriv } from "node:crypto";
import { expect, it } from "vitest";
import { openOutputs } from "../../../../execution/module/sealed-output.ts";

const KEY = Buffer.alloc(32, 7);

function sealed(name: string, text: string): Buffer {
  const nonce = Buffer.alloc(12, 3);
  const cipher = createCipheriv("aes-256-gcm", KEY, nonce).setAAD(Buffer.from(`output:${name}`));
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

const opened = (bytes: Buffer, key: Buffer | undefined = KEY) =>
  openOutputs({ a: { value: null, sensitive: true, encrypted: bytes.toString("base64") } }, key);

it("a sealed output opens with the key and the name that it was sealed with", () => {
  const whole = sealed("a", '{"b":[1,null]}');
  expect(opened(whole)).toEqual({ outputs: { a: { value: { b: [1, null] }, sensitive: true } }, unreadable: [] });
  for (const other of [opened(whole, Buffer.alloc(32, 8)), opened(sealed("b", "1"))]) {
    expect(other).toEqual({ outputs: {}, unreadable: ["a"] });
  }
});

it("with a byte changed or missing it does not open, a tag of any other length included", () => {
  const whole = sealed("a", '"value"');
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(opened(changed).unreadable, `byte ${at} changed`).toEqual(["a"]);
    expect(opened(whole.subarray(0, at)).unreadable, `cut after ${at} bytes`).toEqual(["a"]);
  }
});

it("what is not sealed is as it is", () => {
  expect(openOutputs({ a: { value: 1 } }, undefined)).toEqual({
    outputs: { a: { value: 1, sensitive: false } },
    unreadable: [],
  });
});

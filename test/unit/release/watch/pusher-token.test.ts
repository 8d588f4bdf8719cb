import { createVerify, generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readPusherToken, requirePusher } from "../../../../release/watch/pusher-token.ts";
import { FakeGithub } from "../github/fake-github.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const PLACE = { api: "https://api.github.com", repository: "acme/infra" };
const NOW = 1_700_000_000_000;

describe("the token that pushes tags", () => {
  it("is the App's as it is, or none", async () => {
    expect(await readPusherToken({ KILN_APP_TOKEN: " ghs_app " }, PLACE, NOW)).toBe("ghs_app");
    expect(await readPusherToken({ GITHUB_TOKEN: "ghs_own", KILN_APP_ID: "" }, PLACE, NOW)).toBeUndefined();
  });

  it("is not the workflow's own, whose tags start nothing", async () => {
    const env = { KILN_APP_TOKEN: "ghs_own", GITHUB_TOKEN: "ghs_own" };
    await expect(readPusherToken(env, PLACE, NOW)).rejects.toMatchObject({
      kind: "usage",
      message: "KILN_APP_TOKEN is the workflow's own GITHUB_TOKEN",
    });
    expect(() => {
      requirePusher(undefined, {}, { needed: true });
    }).toThrow(/no App's token/);
    expect(() => {
      requirePusher(undefined, {}, { needed: false });
    }).not.toThrow();
  });

  it("is made for one repository and for contents alone, by a key in a file", async () => {
    const github = await FakeGithub.start();
    github.answer = () => ({ status: 201, body: { token: "ghs_made" } });
    const file = path.join(await temporaryDirectory(), "key.pem");
    await writeFile(file, `${privateKey}\n`);
    const env = { KILN_APP_ID: "12", KILN_APP_INSTALLATION_ID: "34", KILN_APP_PRIVATE_KEY_FILE: file };
    expect(await readPusherToken(env, { api: github.address, repository: "acme/infra" }, NOW)).toBe("ghs_made");
    const [asked] = github.asked;
    expect([asked?.method, asked?.url, asked?.body]).toEqual([
      ...["POST", "/app/installations/34/access_tokens"],
      { repositories: ["infra"], permissions: { contents: "write" } },
    ]);
    const [head = "", claims = "", signature = ""] = (asked?.authorization ?? "").replace("Bearer ", "").split(".");
    expect(createVerify("RSA-SHA256").update(`${head}.${claims}`).verify(publicKey, signature, "base64url")).toBe(true);
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toEqual({
      ...{ iat: NOW / 1000 - 60, exp: NOW / 1000 + 300, iss: "12" },
    });
  });

  it.each<[string, NodeJS.ProcessEnv, RegExp]>([
    ["a part", { KILN_APP_ID: "12" }, /KILN_APP_INSTALLATION_ID and KILN_APP_PRIVATE_KEY_FILE is not set/],
    [
      "the file",
      { KILN_APP_ID: "12", KILN_APP_INSTALLATION_ID: "3", KILN_APP_PRIVATE_KEY_FILE: "/no" },
      /cannot be read/,
    ],
    [
      "a key in it",
      { KILN_APP_ID: "12", KILN_APP_INSTALLATION_ID: "3", KILN_APP_PRIVATE_KEY_FILE: import.meta.filename },
      /no RSA key in PEM/,
    ],
    [
      "a number",
      { KILN_APP_ID: "12", KILN_APP_INSTALLATION_ID: "x/../y", KILN_APP_PRIVATE_KEY_FILE: import.meta.filename },
      /installation of the App is no number/,
    ],
  ])("wants %s", async (_, env, message) => {
    await expect(readPusherToken(env, PLACE, NOW)).rejects.toThrow(message);
  });
});

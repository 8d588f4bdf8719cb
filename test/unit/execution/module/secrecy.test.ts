import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { spellingsOf } from "../../../../execution/secret-spellings.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";
import { fakeDocker } from "./fake-docker.ts";

const KEY =
  "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END PRIVATE KEY-----\n";
const SECRETS = {
  input: "correct horse/battery+staple",
  nested: "nested-secret-0123456789",
  environment: "env secret & more",
  published: "published-credential-987",
  access: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  token: "web.identity.token-abcdefghijklmnop",
  key: KEY,
};

/** Every file below a folder, as text, by its path. */
async function textsBelow(folder: string): Promise<readonly (readonly [string, string])[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (file) => [file, await readFile(file, "utf8")] as const));
}

function findings(texts: readonly (readonly [string, string])[]): readonly string[] {
  const spellings = Object.entries(SECRETS).flatMap(([name, secret]) =>
    // Short pieces of base64 turn up by chance in keys and state.
    spellingsOf(secret)
      .filter((text) => text.length >= 10)
      .map((text) => [name, text] as const),
  );
  return texts.flatMap(([where, text]) =>
    spellings.filter(([, one]) => text.includes(one)).map(([name, one]) => `${name} as ${one} in ${where}`),
  );
}

test("no secret is anywhere but in the channel, raw or encoded, though the module prints and returns all it knows", async () => {
  const fake = await fakeDocker({ leak: true });
  const files = await temporaryDirectory();
  const tokenFile = path.join(files, "token");
  const accountFile = path.join(files, "account.json");
  await writeFile(tokenFile, `${SECRETS.token}\n`);
  await writeFile(accountFile, JSON.stringify({ type: "service_account", project_id: "p", private_key: KEY }));
  const directory = await temporaryDirectory();
  const said: unknown[] = [];
  const note = (...words: unknown[]) => void said.push(words);
  const result = await fake.execute(
    {
      state: { directory },
      request: {
        action: "apply",
        inputs: { plain: "visible value" },
        // As the published interface has credentials: beside what is not secret.
        environment: { AWS_REGION: "eu-central-1", MY_API_TOKEN: SECRETS.published },
        stack_name: "s",
        run_id: "r",
      },
      secrets: {
        inputs: { password: SECRETS.input, database: { user: "admin", passwords: [SECRETS.nested] } },
        environment: { DATABASE: SECRETS.environment },
      },
      credentials: ["aws", "gcp"],
      progress: { step: note, update: note, note },
      onEvent: (event) => void said.push(event),
    },
    {
      AWS_SECRET_ACCESS_KEY: SECRETS.access,
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      GOOGLE_APPLICATION_CREDENTIALS: accountFile,
    },
  );

  // The channel has them all, and the files with it.
  const channel = JSON.parse(await fake.fileOf("r", "stdin")) as Record<string, Record<string, unknown>>;
  expect(channel).toMatchObject({
    inputs: { password: SECRETS.input },
    environment: {
      DATABASE: SECRETS.environment,
      AWS_SECRET_ACCESS_KEY: SECRETS.access,
      MY_API_TOKEN: SECRETS.published,
    },
    files: { AWS_WEB_IDENTITY_TOKEN_FILE: { name: "token" }, GOOGLE_APPLICATION_CREDENTIALS: { name: "account.json" } },
  });

  // Of the container's own files only those that it wrote itself may tell more: the fake leaks on purpose.
  const kept = await textsBelow(directory);
  const recorded = [...(await textsBelow(fake.home))].filter(([file]) => !/\/(stdin|out|err|output\.json)$/.test(file));
  expect(findings(kept)).toEqual([]);
  expect(findings(recorded)).toEqual([]);
  expect(
    findings([
      ["response", JSON.stringify(result.response)],
      ["events and progress", JSON.stringify(said)],
    ]),
  ).toEqual([]);

  // The search can find: the channel and the leaking output have what it looks for.
  expect(findings([["channel", JSON.stringify(channel)]]).length).toBeGreaterThan(5);
  expect(findings([["out", await fake.fileOf("r", "out")]]).length).toBeGreaterThan(5);

  // The caller gets values; what has a secret in it is sensitive, though the module did not say so.
  expect(result.outputs.password).toEqual({ value: SECRETS.input, sensitive: true });
  expect(result.response.outputs.password).toEqual({ value: null, sensitive: true });
  expect(result.outputs.plain).toEqual({ value: "visible value", sensitive: false });
  expect(JSON.stringify(said)).toContain("[secret]");
});

test("what `docker inspect` shows of a run is neither secret nor a path of this machine", async () => {
  const fake = await fakeDocker();
  await fake.execute({
    request: { action: "preview", inputs: {}, run_id: "r", environment: { AWS_REGION: "x" } },
    limits: { graceMs: 9_000 },
  });
  const args = (await fake.fileOf("r", "args")).trimEnd().split("\n");
  const values = args.flatMap((arg, at) => (args[at - 1] === "--env" ? [arg] : [])).sort();
  expect(values.map((value) => value.replace(/sha256:.*/, "sha256:…"))).toEqual([
    "KILN_EVENTS=1",
    "KILN_GRACE_SECONDS=9",
    "KILN_IMAGE_DIGEST=sha256:…",
    "KILN_SECRETS=stdin",
  ]);
  expect(args.filter((arg) => arg.startsWith("/") && arg !== "/workspace" && !/^\/(tmp|run\/kiln):/.test(arg))).toEqual(
    [],
  );
});

import { createVerify, generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { REBUILD_AFTER_DAYS } from "../../../runners/upkeep/freshness.ts";
import { run } from "../../../toolchain/process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const PROGRAM = path.join(import.meta.dirname, "../../../images/actions-runner/check-freshness.mjs");
const TOKEN = "ghs_installation_token_of_the_test";
const WORKFLOW = "/api/v3/repos/acme/infra/actions/workflows/rebuild.yml";
const { publicKey, privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string;
  readonly body: unknown;
}

let server: Server;
let asked: Asked[];
/** What the fake GitHub answers; by default it starts the workflow. */
let answer: (asked: Asked) => { status: number; body?: unknown };

const granted = ({ url }: Asked) =>
  url.endsWith("/access_tokens") ? { status: 201, body: { token: TOKEN } } : { status: 204 };

beforeEach(async () => {
  asked = [];
  answer = granted;
  server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => (text += part));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const one = {
        method,
        url,
        authorization: headers.authorization ?? "",
        body: (text === "" ? {} : JSON.parse(text)) as unknown,
      };
      asked.push(one);
      const { status, body } = answer(one);
      response.writeHead(status).end(body === undefined ? "" : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(() => new Promise((resolve) => server.close(resolve)));

const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

async function check(
  released: string,
  { secret = {}, env = {} }: { secret?: Readonly<Record<string, string>>; env?: NodeJS.ProcessEnv } = {},
) {
  const home = await temporaryDirectory();
  const app = path.join(home, "app");
  await mkdir(app);
  const keys = { github_app_id: "Iv23abc", github_app_installation_id: "42", github_app_private_key: privateKey };
  for (const [key, value] of Object.entries({ ...keys, ...secret })) await writeFile(path.join(app, key), value);
  await writeFile(path.join(home, "release.json"), JSON.stringify({ version: "2.337.0", released }));
  const result = await run(process.execPath, [PROGRAM], {
    allowFailure: true,
    env: {
      GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3/`,
      KILN_REPOSITORY: "acme/infra",
      KILN_WORKFLOW: "rebuild.yml",
      KILN_REF: "main",
      KILN_APP_DIRECTORY: app,
      KILN_RELEASE_FILE: path.join(home, "release.json"),
      KILN_REBUILD_AFTER_DAYS: String(REBUILD_AFTER_DAYS),
      ...env,
    },
  });
  const printed = result.stdout + result.stderr;
  for (const hidden of [TOKEN, ...privateKey.trim().split("\n").slice(1, -1)]) expect(printed).not.toContain(hidden);
  expect(printed).not.toMatch(/eyJ|^ +at /m);
  return { code: result.code, printed };
}

it("asks nobody while the runner is fresh", async () => {
  expect(await check(ago(REBUILD_AFTER_DAYS - 1))).toMatchObject({ code: 0 });
  expect(asked).toEqual([]);
});

it("starts the rebuild with a token of the App, for that repository alone, and fails until it has arrived", async () => {
  const { code, printed } = await check(ago(REBUILD_AFTER_DAYS));
  expect({ code, printed }).toEqual({ code: 1, printed: expect.stringContaining("until an image with") as string });
  expect(asked.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
    {
      method: "POST",
      url: "/api/v3/app/installations/42/access_tokens",
      body: { repositories: ["infra"], permissions: { actions: "write" } },
    },
    { method: "POST", url: `${WORKFLOW}/dispatches`, body: { ref: "main" } },
  ]);
  expect(asked[1]?.authorization).toBe(`Bearer ${TOKEN}`);
});

it("signs what it asks with by the App's key, for a few minutes", async () => {
  await check(ago(25));
  const [header = "", claims = "", signature = ""] = (asked[0]?.authorization ?? "").replace("Bearer ", "").split(".");
  const read = (text: string) => JSON.parse(Buffer.from(text, "base64url").toString()) as Record<string, unknown>;
  expect(read(header)).toEqual({ alg: "RS256", typ: "JWT" });
  expect(createVerify("RSA-SHA256").update(`${header}.${claims}`).verify(publicKey, signature, "base64url")).toBe(true);
  const { iat, exp, iss } = read(claims) as { iat: number; exp: number; iss: string };
  const now = Date.now() / 1000;
  expect(iss).toBe("Iv23abc");
  expect(iat).toBeLessThan(now);
  expect(exp - now).toBeGreaterThan(60);
  expect(exp - iat).toBeLessThanOrEqual(600);
});

it("switches a workflow on that GitHub switched off, then starts it", async () => {
  let off = true;
  answer = (one) => {
    if (one.url.endsWith("/enable")) off = false;
    const disabled = { status: 422, body: { message: "Cannot trigger a 'workflow_dispatch' on a disabled workflow" } };
    return one.url.endsWith("/dispatches") && off ? disabled : granted(one);
  };
  const { code, printed } = await check(ago(29));
  expect(code).toBe(1);
  expect(printed).toContain("switching it on");
  expect(asked.slice(1).map(({ method, url }) => `${method} ${url}`)).toEqual([
    `POST ${WORKFLOW}/dispatches`,
    `PUT ${WORKFLOW}/enable`,
    `POST ${WORKFLOW}/dispatches`,
  ]);
});

it("takes a token where the Secret has one instead of an App", async () => {
  await check(ago(25), { secret: { github_token: TOKEN } });
  expect(asked.map(({ url, authorization }) => `${url} ${authorization}`)).toEqual([
    `${WORKFLOW}/dispatches Bearer ${TOKEN}`,
  ]);
});

describe("what goes wrong is said in one line and ends with 1:", () => {
  it.each([
    ["access_tokens", 401, "A JSON web token could not be decoded", "no token for the App: GitHub answered 401"],
    ["access_tokens", 403, "Resource not accessible by integration", "the App needs the permission Actions"],
    ["dispatches", 404, "Not Found", "rebuild.yml cannot be started: GitHub answered 404: Not Found"],
    ["dispatches", 422, "Workflow does not have 'workflow_dispatch' trigger", "have the trigger workflow_dispatch"],
  ])("%s answered with %d", async (what, status, message, said) => {
    answer = (one) => (one.url.endsWith(what) ? { status, body: { message } } : granted(one));
    const { code, printed } = await check(ago(25));
    expect(code).toBe(1);
    expect(printed).toContain(said);
  });

  it.each([
    ["a key that is none", { github_app_private_key: "-----BEGIN RSA PRIVATE KEY-----\nx\n" }, "is no RSA key in PEM"],
    ["an installation that is none", { github_app_installation_id: "42/../1" }, "is no number"],
  ])("%s", async (_, secret, said) => {
    const { code, printed } = await check(ago(25), { secret });
    expect(code).toBe(1);
    expect(printed).toContain(said);
    expect(asked).toEqual([]);
  });

  it.each([
    [{ KILN_REPOSITORY: "acme" }, "KILN_REPOSITORY is"],
    [{ KILN_WORKFLOW: "../rebuild.yml" }, "KILN_WORKFLOW is"],
    [{ KILN_REF: undefined }, "KILN_REF is not set"],
    [{ KILN_RELEASE_FILE: "/nowhere.json" }, "/nowhere.json cannot be read"],
    [{ KILN_APP_DIRECTORY: "/nowhere" }, "github_app_installation_id cannot be read"],
    [{ GITHUB_API_URL: "http://127.0.0.1:1" }, "127.0.0.1:1 cannot be reached"],
  ])("settings %j", async (env, said) => {
    const { code, printed } = await check(ago(25), { env });
    expect(code).toBe(1);
    expect(printed).toContain(said);
  });

  it.each(["", "soon"])("a release of the day %j, which nobody recorded", async (released) => {
    const { code, printed } = await check(released);
    expect(code).toBe(1);
    expect(printed).toContain("RUNNER_RELEASED");
  });
});

it("goes through the proxy that the environment names", async () => {
  const tunnels: string[] = [];
  server.on("connect", (request: IncomingMessage, socket: Socket) => {
    tunnels.push(request.url ?? "");
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    server.emit("connection", socket);
  });
  const { port } = server.address() as AddressInfo;
  const proxy = { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: `http://127.0.0.1:${port}` };
  const { code } = await check(ago(25), { env: { GITHUB_API_URL: "http://github.example/api/v3", ...proxy } });
  expect(code).toBe(1);
  expect(tunnels).toContain("github.example:80");
  expect(asked.at(-1)?.url).toBe(`${WORKFLOW}/dispatches`);
});

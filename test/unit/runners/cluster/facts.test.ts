import { generateKeyPairSync } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { readClusterFacts } from "../../../../runners/cluster/facts.ts";
import type { ClusterWanted } from "../../../../runners/cluster/wanted.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const TOKEN = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0LXRva2Vu.c2lnbmF0dXJl";
const NOTHING: ClusterWanted = { storageClasses: [], resourceTypes: [], objects: [], permissions: [] };

let directory: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  vi.stubEnv("HOME", directory);
  vi.stubEnv("KUBECONFIG", "");
  vi.stubEnv("KUBERNETES_SERVICE_HOST", "");
});

afterEach(() => {
  vi.unstubAllEnvs();
});

type Fields = Readonly<Record<string, unknown>>;

async function kubeconfig(server: string, user: Fields = { token: TOKEN }, cluster: Fields = {}): Promise<void> {
  await useKubeconfig(
    JSON.stringify({
      clusters: [
        { name: "c", cluster: { server, "insecure-skip-tls-verify": server.startsWith("http:"), ...cluster } },
      ],
      users: [{ name: "ci", user }],
      contexts: [{ name: "dev", context: { cluster: "c", user: "ci" } }],
      "current-context": "dev",
    }),
  );
}

async function useKubeconfig(text: string): Promise<void> {
  const file = path.join(directory, "kubeconfig");
  await writeFile(file, text);
  vi.stubEnv("KUBECONFIG", file);
}

/** An API server that answers what `answer` says: a status, and an object. */
async function apiServer(
  answer: (request: IncomingMessage) => readonly [number, unknown] | undefined,
): Promise<string> {
  const server = createServer((request, response) => {
    const [status, body] = answer(request) ?? [];
    if (status !== undefined) response.writeHead(status).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function plugin(script: string): Promise<Readonly<Record<string, unknown>>> {
  const command = path.join(directory, "credential-plugin");
  await writeFile(command, `#!/bin/sh\n${script}\n`);
  await chmod(command, 0o755);
  return { exec: { apiVersion: "client.authentication.k8s.io/v1", command, args: ["get-token"] } };
}

async function reasonOf(options: { context?: string; timeoutMs?: number } = {}): Promise<string> {
  const reading = await readClusterFacts(NOTHING, { timeoutMs: 2_000, ...options });
  return reading.kind === "unreachable" ? reading.reason : "reachable";
}

describe("a cluster is out of reach", () => {
  it("without a kubeconfig", async () => {
    expect(await reasonOf()).toContain("there is no kubeconfig");
  });

  it("where KUBECONFIG names no file", async () => {
    vi.stubEnv("KUBECONFIG", "/nowhere/config");
    expect(await reasonOf()).toBe("the kubeconfig /nowhere/config does not exist");
  });

  it("where the kubeconfig is damaged, of which nothing is repeated", async () => {
    await useKubeconfig(`users:\n- name: ci\n  user: {token: ${TOKEN}\n`);
    const reason = await reasonOf();
    expect(reason).toContain("cannot be read");
    expect(reason).not.toContain(TOKEN.slice(0, 8));
  });

  it("where it has no such context", async () => {
    await kubeconfig("http://127.0.0.1:1");
    expect(await reasonOf({ context: "prod" })).toBe("the kubeconfig has no context prod, but dev");
  });

  it.each([
    ["http://127.0.0.1:1", "http://127.0.0.1:1 refuses connections"],
    ["https://127.0.0.1:1", "https://127.0.0.1:1 refuses connections"],
    ["https://cluster.invalid", "https://cluster.invalid has a name that cannot be resolved"],
  ])("where nothing answers at %s", async (server, reason) => {
    await kubeconfig(server);
    expect(await reasonOf()).toBe(reason);
  });

  it("where a token would cross the network in plain", async () => {
    await kubeconfig("http://cluster.example", undefined, { "insecure-skip-tls-verify": false });
    expect(await reasonOf()).toBe("http://cluster.example is plain HTTP, over which no credentials are sent");
  });

  it("where a file that the kubeconfig names is missing", async () => {
    await kubeconfig("https://127.0.0.1:1", undefined, { "certificate-authority": "/nowhere/ca.crt" });
    expect(await reasonOf()).toBe("/nowhere/ca.crt, which the kubeconfig names, cannot be used (ENOENT)");
  });

  it("where the server is silent", async () => {
    await kubeconfig(await apiServer(() => undefined));
    expect(await reasonOf({ timeoutMs: 200 })).toContain("did not answer within 0.2 s");
  });

  it("where the credentials are refused, which are not repeated", async () => {
    await kubeconfig(await apiServer(() => [401, {}]));
    const reason = await reasonOf();
    expect(reason).toContain("does not accept the credentials of the user ci");
    expect(reason).not.toContain(TOKEN);
  });

  it.each([
    [
      `echo "expired: ${TOKEN}" >&2; echo "log in first with ${TOKEN}" >&2; exit 3`,
      "ended with 3: log in first with …",
    ],
    ["exit 1", "ended with 1"],
    ["echo no", "did not answer with a credential"],
    [`echo '{"status":{}}'`, "did not answer with a credential"],
    ["sleep 30", "did not answer within 0.5 s"],
  ])("where its credential plugin does `%s`", async (script, reason) => {
    await kubeconfig("http://127.0.0.1:1", await plugin(script));
    expect(await reasonOf({ timeoutMs: 500 })).toBe(`the credential plugin ${directory}/credential-plugin ${reason}`);
  });

  it("where its credential plugin is not there", async () => {
    await kubeconfig("http://127.0.0.1:1", { exec: { command: "no-such-plugin" } });
    expect(await reasonOf()).toBe("the credential plugin no-such-plugin is not on PATH");
  });
});

describe("a cluster that answers", () => {
  const allowed = [201, { status: { allowed: false } }] as const;

  it("is asked with the token of the kubeconfig, or of its plugin", async () => {
    const tokens: unknown[] = [];
    const server = await apiServer(({ headers }) => {
      tokens.push(headers.authorization);
      return allowed;
    });
    await kubeconfig(server);
    expect(await reasonOf()).toBe("reachable");
    await kubeconfig(server, await plugin(`echo '{"status":{"token":"from-plugin"}}'`));
    expect(await reasonOf()).toBe("reachable");
    expect(tokens).toEqual([`Bearer ${TOKEN}`, "Bearer from-plugin"]);
  });

  it("tells of a Secret its keys and what is wrong with them, and no value", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ type: "sec1", format: "pem" }).toString();
    const data = { github_app_private_key: Buffer.from(pem).toString("base64"), github_app_id: "MTIzNDU2" };
    const server = await apiServer(({ method }) => (method === "POST" ? allowed : [200, { data }]));
    await kubeconfig(server);
    const object = { at: "k", kind: "Secret", name: "app", namespace: "runners" } as const;
    const reading = await readClusterFacts({ ...NOTHING, objects: [object] });
    expect(reading).toMatchObject({
      facts: {
        objects: {
          "Secret runners/app": {
            kind: "found",
            fact: {
              keys: ["github_app_id", "github_app_private_key"],
              problem: "has a github_app_private_key that is of type ec, but the keys of GitHub Apps are RSA keys",
            },
          },
        },
      },
    });
    expect(JSON.stringify(reading)).not.toMatch(/MTIzNDU2|123456|BEGIN/);
    expect(JSON.stringify(reading)).not.toContain(data.github_app_private_key.slice(60, 90));
  });

  it.each([
    [{ spec: { unschedulable: true }, status: { conditions: [{ type: "Ready", status: "True" }] } }, "is cordoned"],
    [{ status: { conditions: [{ type: "Ready", status: "Unknown" }] } }, "is not ready"],
    [{ status: { conditions: [{ type: "Ready", status: "True" }] } }, undefined],
  ])("tells whether a node takes pods: %j", async (node, problem) => {
    await kubeconfig(await apiServer(({ method }) => (method === "POST" ? allowed : [200, node])));
    const reading = await readClusterFacts({ ...NOTHING, objects: [{ at: "k", kind: "Node", name: "n" }] });
    const fact = { keys: [], ...(problem === undefined ? {} : { problem }) };
    expect(reading).toMatchObject({ facts: { objects: { "Node n": { kind: "found", fact } } } });
  });

  it("is out of reach again where it breaks in the middle", async () => {
    await kubeconfig(await apiServer(({ method }) => (method === "POST" ? allowed : [503, {}])));
    const reading = await readClusterFacts({ ...NOTHING, storageClasses: [{ at: "k", name: "x" }] });
    expect(reading).toMatchObject({ kind: "unreachable", reason: expect.stringContaining("status 503") as string });
  });

  it("asks who may do everything nothing more", async () => {
    let asked = 0;
    const server = await apiServer(() => {
      asked += 1;
      return [201, { status: { allowed: true } }];
    });
    await kubeconfig(server);
    const permissions = [1, 2, 3].map((index) => ({ verb: "get", group: "", resource: `r${index}` }));
    expect(await readClusterFacts({ ...NOTHING, permissions })).toMatchObject({ facts: { denied: [] } });
    expect(asked).toBe(2);
  });
});

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { networkEnvironment } from "../../../toolchain/network.mjs";
import { noOpenssl, runNode, startProxy, startTlsServer } from "../../support/loopback-network.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const PROJECT = path.join(import.meta.dirname, "../../..");
const CONTENT = "the release";
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");
/** A name that no resolver knows (RFC 6761): only the proxy can reach it. */
const HOST = "releases.kiln.invalid";

/** Downloads in a process of its own, in the environment that `kiln` would give it. */
async function downloaded(url: string, env: NodeJS.ProcessEnv) {
  const file = path.join(await temporaryDirectory(), "file");
  const script = `
    const { download } = await import(${JSON.stringify(path.join(PROJECT, "toolchain/download.ts"))});
    const { silent } = await import(${JSON.stringify(path.join(PROJECT, "progress.ts"))});
    const missed = await download({ url: ${JSON.stringify(url)}, sha256: "${SHA256}" }, ${JSON.stringify(file)}, silent);
    console.log(missed?.reason ?? "arrived");`;
  const bare = { PATH: process.env.PATH ?? "", ...env };
  const { stdout, stderr } = await runNode(["--input-type=module", "-e", script], {
    ...bare,
    ...networkEnvironment(bare),
  });
  return { said: stdout.trim() + (stdout === "" ? stderr : ""), content: await readFile(file, "utf8").catch(() => "") };
}

async function plainServer(): Promise<number> {
  const server = createServer((_, response) => response.end(CONTENT));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

test.each(["http_proxy", "HTTP_PROXY"])("a download goes through the proxy that %s names", async (name) => {
  const proxy = await startProxy({ to: await plainServer() });
  const { said, content } = await downloaded(`http://${HOST}/tool`, { [name]: `http://${proxy.address}` });
  expect([said, content]).toEqual(["arrived", CONTENT]);
  expect(proxy.asked).toHaveLength(1);
  expect(proxy.asked[0]).toContain(HOST);
});

test("loopback and the hosts of NO_PROXY are reached without the proxy", async () => {
  const port = await plainServer();
  const proxy = await startProxy({ to: port });
  const env = { HTTP_PROXY: `http://${proxy.address}`, NO_PROXY: HOST };
  expect((await downloaded(`http://127.0.0.1:${port}/tool`, env)).said).toBe("arrived");
  expect((await downloaded(`http://${HOST}/tool`, env)).said).toContain("cannot be reached");
  expect(proxy.asked).toEqual([]);
});

test("a proxy that wants a password gets it from its address, and one without says where it belongs", async () => {
  const proxy = await startProxy({ to: await plainServer(), credentials: "user:pa ss" });
  const granted = await downloaded(`http://${HOST}/tool`, { HTTP_PROXY: `http://user:pa%20ss@${proxy.address}` });
  expect(granted.said).toBe("arrived");
  const refused = await downloaded(`https://${HOST}/tool`, { HTTPS_PROXY: `http://user:wrong@${proxy.address}` });
  expect(refused.said).toContain("HTTPS_PROXY");
  expect(refused.said).not.toContain("wrong");
});

const withoutOpenssl = noOpenssl();
if (withoutOpenssl !== undefined) console.warn(`skipped: a proxy that inspects TLS (${withoutOpenssl})`);

test.skipIf(withoutOpenssl !== undefined)(
  "behind a proxy that inspects TLS, a download works with its CA and names KILN_CA_FILE without",
  async () => {
    const { ca, port } = await startTlsServer(await temporaryDirectory(), HOST, CONTENT);
    const proxy = await startProxy({ to: port });
    const env = { HTTPS_PROXY: `http://${proxy.address}` };
    const without = await downloaded(`https://${HOST}/tool`, env);
    expect(without.said).toContain(HOST);
    expect(without.said).toContain("set KILN_CA_FILE");
    for (const name of ["KILN_CA_FILE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]) {
      const { said, content } = await downloaded(`https://${HOST}/tool`, { ...env, [name]: ca });
      expect([name, said, content]).toEqual([name, "arrived", CONTENT]);
    }
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${HOST}:443`]));
  },
);

test("kiln starts itself once more where Node must know of a proxy or a CA from its start, and otherwise not", async () => {
  const directory = await temporaryDirectory();
  const [log, hook] = [path.join(directory, "starts"), path.join(directory, "hook.mjs")];
  const names = ["NODE_USE_ENV_PROXY", "NODE_EXTRA_CA_CERTS", "NO_PROXY"];
  await writeFile(
    hook,
    `import { appendFileSync } from "node:fs";
if (process.argv[1]?.endsWith("kiln.mjs"))
  appendFileSync(${JSON.stringify(log)}, JSON.stringify(${JSON.stringify(names)}.map((name) => process.env[name] ?? "")) + "\\n");`,
  );
  const starts = async (env: NodeJS.ProcessEnv) => {
    await writeFile(log, "");
    const base = { PATH: process.env.PATH ?? "", HOME: directory, NODE_OPTIONS: `--import=${hook}` };
    const { code, stderr } = await runNode([path.join(PROJECT, "cli/kiln.mjs"), "--help"], { ...base, ...env });
    expect([code, stderr]).toEqual([0, ""]);
    return (await readFile(log, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as string[]);
  };
  expect(await starts({})).toEqual([["", "", ""]]);
  const certificates = path.join(directory, "ca.pem");
  await writeFile(certificates, "");
  expect(await starts({ https_proxy: "http://proxy.example:3128", KILN_CA_FILE: certificates })).toEqual([
    ["", "", ""],
    ["1", certificates, "localhost,127.0.0.1,::1"],
  ]);
});

import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { EngineSocket } from "../../../execution/engine-socket.ts";
import { sandboxOf } from "../../../execution/sandbox.ts";
import { removeOverSocket, runOverSocket } from "../../../execution/socket-run.ts";
import { fakeEngine, frame, type FakeAnswer, type FakeEngine } from "./fake-engine.ts";

const PLAN = { image: "sha256:0", sandbox: sandboxOf(), environment: { A: "b" }, labels: {}, volumes: ["/out"] };
const GOOD: Readonly<Record<string, FakeAnswer>> = {
  "POST /containers/create": { status: 201, document: { Id: "c" } },
  "POST /containers/c/start": { status: 204 },
  "POST /containers/c/wait": { status: 200, document: { StatusCode: 3 } },
};
const never = new AbortController().signal;

async function runOn(engine: Pick<FakeEngine, "path">, until = never, stderr: string[] = []) {
  const stdout: string[] = [];
  const code = await runOverSocket(new EngineSocket(engine.path), {
    ...{ name: "c", plan: PLAN, graceSeconds: 7, input: Buffer.from("a secret"), until },
    onStdoutLine: (line) => stdout.push(line),
    onStderrLine: (line) => stderr.push(line),
  });
  return { code, stdout, stderr };
}

it("attaches before it starts, gives input and output, and returns what the engine says of the end", async () => {
  const got: Promise<string>[] = [];
  const engine = await fakeEngine(GOOD, (connection) => {
    got.push(
      text(connection).then((input) => {
        connection.end(Buffer.concat([frame(1, Buffer.from("out\n")), frame(2, Buffer.from("err"))]));
        return input;
      }),
    );
  });
  expect(await runOn(engine)).toEqual({ code: 3, stdout: ["out"], stderr: ["err"] });
  expect(await Promise.all(got)).toEqual(["a secret"]);
  expect(engine.asked.map((request) => request.replace(/\?.*/, ""))).toEqual([
    "POST /containers/create",
    "POST /containers/c/attach",
    "POST /containers/c/start",
    "POST /containers/c/wait",
  ]);
  expect(engine.made()).toMatchObject({ Image: "sha256:0", Env: ["A=b"], StopTimeout: 7, StdinOnce: true });
  expect(JSON.stringify(engine.made())).not.toContain("a secret");
});

it("says why there is no container, as the client does, and asks for no start", async () => {
  const document = { message: "Conflict. The container name is already in use" };
  const engine = await fakeEngine({ ...GOOD, "POST /containers/create": { status: 409, document } });
  expect(await runOn(engine)).toEqual({ code: 125, stdout: [], stderr: [document.message] });
  expect(engine.asked).toHaveLength(1);
});

it("says why a container does not start, and waits for nothing", async () => {
  const refusal = { status: 400, document: { message: "OCI runtime create failed" } };
  const engine = await fakeEngine({ ...GOOD, "POST /containers/c/start": refusal }, () => undefined);
  expect(await runOn(engine)).toEqual({ code: 125, stdout: [], stderr: ["OCI runtime create failed"] });
});

it("a connection that breaks off ends nothing: the container's end is waited for", async () => {
  const engine = await fakeEngine(GOOD, (connection) => {
    connection.write(frame(1, Buffer.from("half a li")), () => connection.destroy());
  });
  expect(await runOn(engine)).toMatchObject({ code: 3, stdout: ["half a li"] });
});

it("is cut off when it is given up, and throws where nothing answers", async () => {
  const giveUp = new AbortController();
  const engine = await fakeEngine(GOOD, () => {
    setTimeout(() => {
      giveUp.abort();
    }, 20);
  });
  await expect(runOn(engine, giveUp.signal)).rejects.toMatchObject({ kind: "unreachable" });
  const lines: string[] = [];
  await expect(runOn({ path: `${engine.path}.none` }, never, lines)).rejects.toMatchObject({ kind: "unreachable" });
  expect(lines.join()).toContain("ENOENT");
});

it("takes a container that is not there any more for removed, and nothing else", async () => {
  const removed = async (status: number) => {
    const engine = await fakeEngine({ "DELETE /containers/c?v=1&force=1": { status } });
    return removeOverSocket(new EngineSocket(engine.path), "c", never);
  };
  expect(await Promise.all([204, 404, 409, 500].map(removed))).toEqual([true, true, false, false]);
});

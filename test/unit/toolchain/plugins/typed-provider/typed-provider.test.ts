import { describe, expect, it } from "vitest";
import { secret, UNKNOWN, type Properties } from "../../../../../toolchain/plugins/property-values.ts";
import type { DiffRequest } from "../../../../../toolchain/plugins/provider-handlers.ts";
import { typedProvider } from "../../../../../toolchain/plugins/typed-provider/typed-provider.ts";

const GROUP = "github:index/actionsRunnerGroup:ActionsRunnerGroup";
const announced: string[] = [];
const provider = typedProvider({
  name: "github",
  identity: ["repository", "secretName"],
  functions: { "github:index/known:known": ({ name }) => ({ answer: name }) },
  announce: (line) => {
    announced.push(line);
    return Promise.resolve();
  },
});

function urn(stack: string, token = GROUP): string {
  return `urn:pulumi:${stack}::kiln::kiln:github:GithubAccess$${token}::github-group`;
}

function create(stack: string, inputs: Properties, preview = false) {
  return provider.create({ urn: urn(stack), inputs, preview, timeout: 0 });
}

function diff(oldInputs: Properties, inputs: Properties, ignoreChanges: readonly string[] = []) {
  const request: DiffRequest = { urn: urn("test-x"), id: "1", state: {}, oldInputs, inputs, ignoreChanges };
  return provider.diff(request);
}

describe("the loopback provider of an SDK", () => {
  it("announces itself", async () => {
    await provider.configure?.({});
    expect(announced).toEqual(["Using kiln's loopback github plugin: it checks names and makes up answers."]);
  });

  it("checks names and properties", async () => {
    const check = (token: string, inputs: Properties) =>
      provider.check({ urn: urn("dev", token), oldInputs: {}, inputs });
    expect(await check(GROUP, { visibility: "all" })).toEqual({ inputs: { visibility: "all" }, failures: [] });
    expect((await check(GROUP, {})).failures).toEqual([
      { property: "visibility", reason: "it is required, and missing" },
    ]);
    expect((await check("github:index/x:X", {})).failures).toEqual([
      { property: "", reason: "@pulumi/github has no resource github:index/x:X" },
    ]);
  });

  it("makes up outputs that stay, and keeps the marks of secrets", async () => {
    const inputs = { visibility: "all", name: secret("a") };
    const first = await create("test-x", inputs);
    expect(await create("test-x", inputs)).toEqual(first);
    expect(first.id).toMatch(/^\d{6}$/);
    expect(first.state).toEqual({
      ...inputs,
      default: false,
      inherited: false,
      etag: expect.stringMatching(/^loopback-etag-\d{6}$/) as string,
      runnersUrl: expect.stringMatching(/^loopback-runnersUrl-\d{6}$/) as string,
      selectedRepositoriesUrl: expect.stringMatching(/^loopback-selectedRepositoriesUrl-\d{6}$/) as string,
    });
    expect((await create("test-y", inputs)).id).not.toBe(first.id);
    const request = {
      urn: urn("test-x"),
      id: first.id,
      state: first.state,
      oldInputs: inputs,
      inputs,
      ignoreChanges: [],
    };
    expect(await provider.update({ ...request, preview: false, timeout: 0 })).toEqual({ state: first.state });
  });

  it("knows inputs and nothing else at a preview, of any stack", async () => {
    const { id, state } = await create("prod", { visibility: "all" }, true);
    expect([id, state.visibility, state.runnersUrl]).toEqual(["", "all", UNKNOWN]);
  });

  it("changes nothing but local and test stacks", () => {
    const official =
      /stack prod can be previewed but not changed here.*`pulumi plugin install resource github 6\.15\.0`/;
    expect(() => create("prod", { visibility: "all" })).toThrow(official);
    const existing = { urn: urn("prod"), id: "1", state: {}, oldInputs: {} };
    expect(() => provider.delete({ ...existing, timeout: 0 })).toThrow(official);
    const change = { inputs: {}, ignoreChanges: [], preview: false, timeout: 0 };
    expect(() => provider.update({ ...existing, ...change })).toThrow(official);
    expect(() => provider.delete({ ...existing, urn: urn("local"), timeout: 0 })).not.toThrow();
  });

  it("updates what changed, and replaces what its identity made another thing", async () => {
    expect(await diff({ value: secret("a") }, { value: secret("a") })).toMatchObject({ changes: {} });
    expect(await diff({ value: "a", repository: "x" }, { value: "b", repository: "y" })).toEqual({
      changes: { value: "update", repository: "update-replace" },
      deleteBeforeReplace: true,
    });
    expect(await diff({ a: { b: 1 }, c: 1 }, { a: { b: 2 }, c: 2 }, ["a"])).toMatchObject({ changes: { c: "update" } });
    expect(await diff({}, { secretName: "A" })).toMatchObject({ changes: { secretName: "add-replace" } });
    expect(await diff({ secretName: "A" }, {})).toMatchObject({ changes: { secretName: "delete-replace" } });
  });

  it("reads the state, and says that there is nothing else to read", async () => {
    const existing = { urn: urn("test-x"), id: "1", state: { a: 1 }, inputs: { b: 2 } };
    expect(await provider.read(existing)).toEqual({ id: "1", state: { a: 1 }, inputs: { b: 2 } });
    expect(() => provider.read({ ...existing, state: {} })).toThrow(
      /has nothing to read: .*ActionsRunnerGroup 1 is not/,
    );
  });

  it("answers the functions that it knows, and names the others", async () => {
    expect(await provider.invoke?.("github:index/known:known", { name: secret("a") })).toEqual({ answer: "a" });
    expect(() => provider.invoke?.("github:index/getUser:getUser", {})).toThrow(
      "kiln's loopback github plugin does not answer github:index/getUser:getUser: it would have to ask github",
    );
  });
});

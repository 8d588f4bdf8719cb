import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  mergeTimings,
  noteTimings,
  parseActionGraph,
  readTimings,
  readTimingsFile,
  timingsFile,
} from "../../../cache/timings.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const second = 1_000_000_000;
const compiled = (Package: string, more: object) => ({ Mode: "build", Package, Cmd: ["compile"], ...more });

describe("parseActionGraph", () => {
  it("has user and system time of compile actions that ran", () => {
    const graph = [
      { Mode: "nop", Package: "" },
      compiled("net/http", { CmdReal: 9 * second, CmdUser: 1.5 * second, CmdSys: 0.25 * second }),
      compiled("example.com/tiny", { CmdSys: 4_000_000 }),
    ];
    expect(parseActionGraph(graph)).toEqual({ seconds: { "net/http": 1.75, "example.com/tiny": 0.004 } });
  });

  it.each<[string, object]>([
    ["came from the cache", { Mode: "build", Package: "fmt", Cmd: null }],
    ["failed", compiled("fmt", { Failed: true, CmdUser: second })],
    ["was linked", { Mode: "link", Package: "fmt", Cmd: ["link"], CmdUser: second }],
    ["was looked up", { Mode: "build check cache", Package: "fmt", Cmd: null }],
  ])("leaves out what %s", (_, action) => {
    expect(parseActionGraph([action])).toEqual({ seconds: {} });
  });

  it.each([[null], [{}], ["text"], [[null, 1, { Mode: "build" }]]])("takes %j for no graph", (document) => {
    expect(parseActionGraph(document)).toEqual({ seconds: {} });
  });
});

describe("mergeTimings", () => {
  it("believes the newer measurement, keeps the others, and sorts", () => {
    expect(mergeTimings({ seconds: { b: 1, a: 1 }, links: { x: 2 } }, { seconds: { a: 3 }, bytes: { a: 5 } })).toEqual({
      version: 1,
      seconds: { a: 3, b: 1 },
      links: { x: 2 },
      bytes: { a: 5 },
    });
    expect(Object.keys(mergeTimings({ seconds: { b: 1 } }, { seconds: { a: 1 } }).seconds)).toEqual(["a", "b"]);
  });
});

describe("the timings of a store", () => {
  it("grow from run to run", async () => {
    const store = path.join(await temporaryDirectory(), "store");
    expect(await readTimings(store)).toBeUndefined();
    await noteTimings(store, { seconds: { fmt: 1 } });
    await noteTimings(store, { seconds: { net: 2 }, links: { "m/x": 3 } });
    expect(await readTimings(store)).toEqual({
      version: 1,
      seconds: { fmt: 1, net: 2 },
      links: { "m/x": 3 },
      bytes: {},
    });
    expect(await readdir(store)).toEqual(["timings.json"]);
  });

  it("begin anew where the file is damaged", async () => {
    const store = await temporaryDirectory();
    await writeFile(timingsFile(store), '{"version":1,"sec');
    expect(await readTimings(store)).toBeUndefined();
    await noteTimings(store, { seconds: { fmt: 1 } });
    expect((await readTimings(store))?.seconds).toEqual({ fmt: 1 });
  });
});

describe("readTimingsFile", () => {
  it.each<[string, unknown]>([
    ["it has no seconds", { version: 1 }],
    ['the seconds of "fmt" are -1', { version: 1, seconds: { fmt: -1 } }],
    ['the seconds of "fmt" are "2"', { version: 1, seconds: { fmt: "2" } }],
    ['the links of "m/x" are null', { version: 1, seconds: {}, links: { "m/x": null } }],
    ["its bytes are none", { version: 1, seconds: {}, bytes: [] }],
  ])("refuses a file where %s", async (fault, document) => {
    const file = path.join(await temporaryDirectory(), "timings.json");
    await writeFile(file, JSON.stringify(document));
    await expect(readTimingsFile(file)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(fault) as string,
    });
  });
});

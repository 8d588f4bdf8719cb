import { expect, it } from "vitest";
import { engineAddress } from "../../../../toolchain/plugins/engine-log.ts";

it.each<[readonly string[], string | undefined]>([
  [["127.0.0.1:1"], "127.0.0.1:1"],
  [["--logtostderr", "-v=9", "127.0.0.1:1"], "127.0.0.1:1"],
  [["--tracing", "http://trace", "127.0.0.1:1"], "127.0.0.1:1"],
  [[], undefined],
])("the engine's address in %j is %s", (args, address) => {
  expect(engineAddress(args)).toBe(address);
});

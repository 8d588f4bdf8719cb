import { expect, it } from "vitest";
import { sandboxFlags, sandboxOf } from "../../../execution/sandbox.ts";

it("a container may do next to nothing by default", () => {
  expect(sandboxFlags(sandboxOf()).join(" ")).toBe(
    [
      "--user 65532:65532 --read-only --cap-drop ALL --security-opt no-new-privileges",
      "--memory 2g --memory-swap 2g --pids-limit 1024 --network bridge",
      "--tmpfs /tmp:exec,mode=1777 --tmpfs /run/kiln:exec,mode=0700,uid=65532,gid=65532",
    ].join(" "),
  );
  expect(sandboxOf().relaxations).toEqual([]);
});

it("limits and the network are what is asked for", () => {
  const flags = sandboxFlags(sandboxOf({ memory: "512m", cpus: 0.5, pids: 64 }, "none")).join(" ");
  expect(flags).toContain("--memory 512m --memory-swap 512m --pids-limit 64 --cpus 0.5 --network none");
});

it("a weaker sandbox says so", () => {
  expect(sandboxOf({}, "host").relaxations).toEqual(["the network of the engine's machine, its loopback included"]);
});

it.each([
  [{ memory: "lots" }, undefined, '"lots" is no amount of memory'],
  [{ memory: "-1" }, undefined, '"-1" is no amount of memory'],
  [{ cpus: 0 }, undefined, "0 is no number of processors"],
  [{ cpus: Number.NaN }, undefined, "NaN is no number of processors"],
  [{ pids: -1 }, undefined, "-1 is no number of processes"],
  [{}, "container:other", '"container:other" is no network for a run'],
  [{}, "--privileged", '"--privileged" is no network for a run'],
])("%j with the network %s is refused", (limits, network, message) => {
  expect(() => sandboxOf(limits, network)).toThrow(expect.objectContaining({ kind: "usage", message }));
});

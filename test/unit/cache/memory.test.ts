import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cgroupFolders, cgroupRoom, compileMemory, memAvailable, memoryFor } from "../../../cache/memory.ts";

const GIB = 1024 ** 3;

describe("memoryFor", () => {
  it.each([
    ["a large share: no collection before its limit", 20, 2, { procs: 2, GOGC: "off", GOMEMLIMIT: "10240MiB" }],
    ["just enough for that", 6, 2, { procs: 2, GOGC: "off", GOMEMLIMIT: "3072MiB" }],
    ["a fair share", 8, 4, { procs: 4, GOGC: "400", GOMEMLIMIT: "2048MiB" }],
    ["a small one", 8, 8, { procs: 8, GOGC: "200", GOMEMLIMIT: "1024MiB" }],
    ["fewer compilers than cores", 2, 16, { procs: 4, GOGC: "200", GOMEMLIMIT: "512MiB" }],
    ["hardly any", 0.1, 4, { procs: 1, GOGC: "200", GOMEMLIMIT: "512MiB" }],
  ])("gives %s", (_, gigabytes, cores, { procs, ...environment }) => {
    expect(memoryFor(gigabytes * GIB, cores)).toMatchObject({ procs, environment });
  });

  it("promises no more than there is, once there is enough for one compiler", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 512, noNaN: true }),
        fc.integer({ min: 1, max: 256 }),
        (gigabytes, cores) => {
          const { procs, share, environment } = memoryFor(gigabytes * GIB, cores);
          expect(procs).toBeGreaterThanOrEqual(1);
          expect(procs).toBeLessThanOrEqual(cores);
          expect(procs * share).toBeLessThanOrEqual(gigabytes * GIB * 1.000001);
          expect(procs * Number.parseInt(environment.GOMEMLIMIT, 10)).toBeLessThanOrEqual(gigabytes * 1024 * 1.000001);
        },
      ),
    );
  });
});

describe("memAvailable", () => {
  it("reads what programs can still have, not what is free", () => {
    expect(memAvailable("MemTotal:  24 kB\nMemFree:  1 kB\nMemAvailable:   16384 kB\n")).toBe(16384 * 1024);
    expect(memAvailable("MemTotal:  24 kB\n")).toBeUndefined();
  });
});

describe("cgroupFolders", () => {
  it("names the group and all above it, whose limits hold as well", () => {
    expect(cgroupFolders("0::/pods/a\n")).toEqual(["/sys/fs/cgroup/pods/a", "/sys/fs/cgroup/pods", "/sys/fs/cgroup"]);
    expect(cgroupFolders("0::/\n")).toEqual(["/sys/fs/cgroup"]);
  });

  it("knows version 1, where memory has a hierarchy of its own", () => {
    expect(cgroupFolders("5:cpu,cpuacct:/x\n4:memory:/kubepods/b\n1:name=systemd:/y\n")).toEqual([
      ...["/sys/fs/cgroup/memory/kubepods/b", "/sys/fs/cgroup/memory/kubepods", "/sys/fs/cgroup/memory"],
    ]);
    expect(cgroupFolders("")).toEqual([]);
  });
});

describe("cgroupRoom", () => {
  const room = (files: Readonly<Record<string, string>>) => cgroupRoom((name) => files[name] ?? "");

  it("is the limit without what is in use; cached files can be given up", () => {
    const stat = "anon 5\ninactive_file 30\n";
    expect(room({ "memory.max": "100\n", "memory.current": "70\n", "memory.stat": stat })).toBe(60);
    expect(room({ "memory.max": "100\n", "memory.current": "200\n" })).toBe(0);
  });

  it("knows the names of version 1", () => {
    const files = { "memory.limit_in_bytes": "100", "memory.usage_in_bytes": "50" };
    expect(room({ ...files, "memory.stat": "inactive_file 1\ntotal_inactive_file 20\n" })).toBe(70);
  });

  it("has no end where no limit is set", () => {
    expect(room({ "memory.max": "max\n", "memory.current": "1\n" })).toBe(Number.POSITIVE_INFINITY);
    expect(room({})).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("compileMemory", () => {
  it("finds something to work with on this machine", () => {
    expect(compileMemory().procs).toBeGreaterThanOrEqual(1);
    expect(compileMemory().environment.GOMEMLIMIT).toMatch(/^\d+MiB$/);
  });
});

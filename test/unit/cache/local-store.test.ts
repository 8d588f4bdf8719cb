import path from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { readFile } from "node:fs/promises";
import { mountOf, parseMounts, requireLocalStore } from "../../../cache/local-store.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

vi.mock(import("node:fs/promises"), async (original) => {
  const actual = await original();
  return { ...actual, readFile: vi.fn(actual.readFile) as typeof actual.readFile };
});

const line = (point: string, type: string, source = "none") =>
  `36 35 98:0 / ${point} rw,noatime master:1 - ${type} ${source} rw,errors=continue`;

describe("parseMounts", () => {
  it("reads mount points and types, with and without optional fields", () => {
    const text = `${line("/", "overlay", "overlay")}\n22 1 0:21 / /proc rw,nosuid - proc proc rw\n`;
    expect(parseMounts(text)).toEqual([
      { point: "/", type: "overlay" },
      { point: "/proc", type: "proc" },
    ]);
  });

  it("undoes the octal numbers of spaces, tabs, newlines and backslashes", () => {
    expect(parseMounts(line("/mnt/my\\040disk\\011\\012\\134x", "ext4"))).toEqual([
      { point: "/mnt/my disk\t\n\\x", type: "ext4" },
    ]);
  });

  it("leaves out what is no mount", () => {
    expect(parseMounts("")).toEqual([]);
    expect(parseMounts("nonsense\n36 35 98:0 / /x rw -\n36 35 98:0 / /x rw - \n")).toEqual([]);
  });
});

describe("mountOf", () => {
  const mounts = parseMounts(
    [line("/", "ext4"), line("/data", "xfs"), line("/data/deep", "nfs4"), line("/datas", "cifs")].join("\n"),
  );

  it.each([
    ["/", "ext4"],
    ["/home/x", "ext4"],
    ["/data", "xfs"],
    ["/data/x", "xfs"],
    ["/data/deep", "nfs4"],
    ["/data/deep/er", "nfs4"],
    ["/data/deeper", "xfs"],
    ["/datas/x", "cifs"],
    ["/dat", "ext4"],
  ])("of %s is the deepest: %s", (file, type) => {
    expect(mountOf(file, mounts)?.type).toBe(type);
  });

  it("of two mounts at one point is the later, which hides the other", () => {
    const twice = parseMounts([line("/data", "nfs4"), line("/data", "ext4"), line("/", "ext2")].join("\n"));
    expect(mountOf("/data/x", twice)?.type).toBe("ext4");
    expect(mountOf("/data/x", [...twice].reverse())?.type).toBe("nfs4");
  });

  it("is none where nothing is mounted", () => {
    expect(mountOf("/x", [])).toBeUndefined();
  });
});

describe.runIf(process.platform === "linux")("requireLocalStore", () => {
  let store: string;

  beforeEach(async () => {
    store = path.join(await temporaryDirectory(), "my store");
  });

  const on = async (type: string) => {
    vi.mocked(readFile).mockResolvedValueOnce(
      `${line("/", "ext4")}\n${line(path.dirname(store).replaceAll(" ", "\\040"), type)}\n`,
    );
    return requireLocalStore(store);
  };

  it.each([
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "9p",
    "ceph",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.s3fs",
    "lustre",
    "ocfs2",
  ])("refuses a store on %s, and says why", async (type) => {
    await expect(on(type)).rejects.toMatchObject({
      kind: "usage",
      message: `the store ${store} is on a network file system (${type} at ${path.dirname(store)})`,
      mend: expect.stringContaining("Go's documentation") as string,
    });
  });

  it.each(["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuse.fuse-overlayfs", "fuse.bindfs", "fuseblk", "nfsd"])(
    "takes a store on %s",
    async (type) => {
      await expect(on(type)).resolves.toBe(store);
    },
  );

  const mounted = async (mounts: Readonly<Record<string, string>>) => {
    const lines = Object.entries(mounts).map(([folder, type]) =>
      line(path.join(store, folder).replaceAll(" ", "\\040"), type),
    );
    vi.mocked(readFile).mockResolvedValueOnce([line("/", "overlay"), ...lines, ""].join("\n"));
    return requireLocalStore(store);
  };

  it("has the lock in the build cache where a volume of its own is mounted there, as all who share it see it there", async () => {
    await expect(mounted({ "go-build": "ext4", "go-mod": "ext4" })).resolves.toBe(path.join(store, "go-build"));
    await expect(mounted({ ".": "ext4", "go-mod": "ext4" })).resolves.toBe(store);
  });

  it("looks at what the build cache stands on: the module cache may be shared by machines", async () => {
    await expect(mounted({ "go-build": "nfs4" })).rejects.toThrow(`(nfs4 at ${path.join(store, "go-build")})`);
    await expect(mounted({ "go-mod": "nfs4" })).resolves.toBe(store);
    await expect(mounted({ ".": "nfs4", "go-build": "ext4" })).resolves.toBe(path.join(store, "go-build"));
  });

  it("looks at this machine's real mounts otherwise, and makes the store", async () => {
    await requireLocalStore(store);
    expect(vi.mocked(readFile)).toHaveBeenLastCalledWith("/proc/self/mountinfo", "utf8");
  });
});

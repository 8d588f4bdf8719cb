import { mkdir, readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { KilnError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import { withLock } from "../toolchain/lock.ts";
import { dropPartialModules } from "./partial-modules.ts";

/** One line of /proc/self/mountinfo, as far as kiln reads it (proc_pid_mountinfo(5)). */
interface Mount {
  readonly point: string;
  readonly type: string;
}

/** File systems that several machines may have mounted at once. FUSE names what stands behind it after a dot. */
const NETWORK_TYPES =
  /^(?:nfs\d?|cifs|smb\d?|smbfs|9p|ceph|afs|glusterfs|lustre|gpfs|beegfs|ocfs2|gfs2|fuse\.(?!fuse-overlayfs$|bindfs$|ext2$|lxcfs$).+)$/;

/**
 * Throws when the build cache of a store stands on a network file system. It relies on file locks and on seeing its own
 * writes at once, and its authors call it unsafe where machines share it (comment on Open in cmd/go/internal/cache). The
 * module cache may: it only needs locks. Returns the folder that the store's lock belongs in: that of the build cache where
 * a volume is mounted there, since whoever shares the volume has to see the lock, and what is around it may be read-only.
 */
export async function requireLocalStore(store: string): Promise<string> {
  if (process.platform !== "linux") return store;
  await mkdir(store, { recursive: true });
  const buildCache = path.join(await realpath(store), "go-build");
  const mount = mountOf(buildCache, parseMounts(await readFile("/proc/self/mountinfo", "utf8")));
  if (mount === undefined || !NETWORK_TYPES.test(mount.type)) return mount?.point === buildCache ? buildCache : store;
  throw new KilnError("usage", `the store ${store} is on a network file system (${mount.type} at ${mount.point})`, {
    mend:
      "Put --store on a disk of this machine or a block volume: Go's documentation says that its build cache is not safe " +
      "for several machines and that file locks, which guard it, do not hold on network file systems.",
  });
}

/**
 * Runs `work` with a store to itself: what one Go command reads or makes there would count as another's, and so be shipped.
 * Waits for whoever has it, and removes modules of which an earlier run restored a part. Throws where the store is not on a
 * disk of this machine.
 */
export async function withStore<T>(store: string, progress: Progress, work: () => Promise<T>): Promise<T> {
  const folder = await requireLocalStore(store);
  return withLock(path.join(folder, "lock"), progress, `the store ${store}`, async () => {
    await dropPartialModules(store);
    return work();
  });
}

/** The mounts in a mountinfo text; spaces and the like in its paths are written as octal numbers. */
export function parseMounts(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [point, type] = [left.split(" ")[4], right.split(" ")[0]];
    if (point === undefined || type === undefined || type === "") return [];
    return [
      { point: point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))), type },
    ];
  });
}

/** The mount that an absolute path stands on: the deepest, and of two at one place the later, which hides the other. */
export function mountOf(file: string, mounts: readonly Mount[]): Mount | undefined {
  return mounts
    .filter(({ point }) => point === "/" || file === point || file.startsWith(`${point}/`))
    .reduce<Mount | undefined>(
      (best, mount) => (best && best.point.length > mount.point.length ? best : mount),
      undefined,
    );
}

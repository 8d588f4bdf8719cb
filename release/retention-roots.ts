import type { PinnedImage } from "../registry/image-reference.ts";
import type { BranchVersion } from "./git-history.ts";
import { shortCommit, type FileVersion } from "./history.ts";
import type { Root } from "./reachable.ts";

/** What Git and the work tree say of a project's stack files. */
export interface StackHistory {
  /** Each file's versions on the present branch, and again on the default one where that is another; the newest first. */
  readonly stacks: readonly { readonly file: string; readonly versions: readonly FileVersion[] }[];
  /** Files as they stand here, committed or not. */
  readonly here: readonly { readonly file: string; readonly text: string }[];
  /** What any branch says or said in the window. */
  readonly branches: readonly BranchVersion[];
}

/** How far back an image counts as named: what either keeps, stays. */
export interface HistoryWindow {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly keepDays: number;
  /** So many versions of each stack, whatever their age. */
  readonly keepLast: number;
}

const DAY_MS = 86_400_000;

/** When the window of days begins. */
export function windowStart({ now, keepDays }: HistoryWindow): Date {
  return new Date(now - keepDays * DAY_MS);
}

/**
 * The images that stack files name: as they stand, at every commit that was in force in the window, in the last versions of
 * each stack, and on branches. Each digest once, with the newest place that names it. Pure.
 */
export function retentionRoots(history: StackHistory, window: HistoryWindow): readonly Root[] {
  const roots: Root[] = [];
  for (const { file, text } of history.here) {
    roots.push(...pinnedImages(text).map((image) => ({ ...image, reason: file })));
  }
  for (const { file, versions } of history.stacks) {
    for (const { commit, text } of inForce(versions, window)) {
      const reason = `${file} at ${shortCommit(commit)}`;
      roots.push(...pinnedImages(text).map((image) => ({ ...image, reason })));
    }
  }
  for (const { file, commit, branch, text } of history.branches) {
    const reason = `${file} at ${branch ?? shortCommit(commit)}`;
    roots.push(...pinnedImages(text).map((image) => ({ ...image, reason })));
  }
  // What is committed says more than what stands here: a reader can look it up.
  const committed = roots.filter(({ reason }) => reason.includes(" at "));
  const unique = new Map<string, Root>();
  for (const root of [...committed, ...roots]) {
    const key = `${root.repository}@${root.digest}`;
    if (!unique.has(key)) unique.set(key, root);
  }
  return [...unique.values()];
}

/** The versions that were in force at some moment of the window, and the last that named something else than the one before. */
function inForce(versions: readonly FileVersion[], window: HistoryWindow): readonly FileVersion[] {
  const start = windowStart(window).getTime();
  const deleted = versions[0]?.text === undefined;
  let distinct = 0;
  let before: string | undefined;
  return versions.filter(({ text }, index) => {
    const names = pinnedImages(text)
      .map(({ repository, digest }) => `${repository}@${digest}`)
      .join();
    if (names !== "" && names !== before) distinct++;
    if (names !== "") before = names;
    const until = versions[index - 1]?.committed;
    const within = until === undefined || Date.parse(until) >= start;
    // A stack that is gone is rolled back to nothing: for it the days alone count.
    return within || (!deleted && distinct <= window.keepLast);
  });
}

/** Every `repository@sha256:…` in a text, comments included: a comment, too, is somebody's reason to look for the image. */
export function pinnedImages(text: string | undefined): readonly PinnedImage[] {
  const found = (text ?? "").matchAll(/([\w.-]+(?:[:/][\w.-]+)*)@(sha256:[0-9a-f]{64})(?![0-9a-f])/g);
  return [...found].map(([, name = "", digest = ""]) => ({ repository: name.replace(/:[^/:]*$/, ""), digest }));
}

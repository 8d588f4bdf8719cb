import { expect, it } from "vitest";
import { KilnError } from "../../../../errors.ts";
import { stateFault } from "../../../../execution/module/state-fault.ts";
import { StateRefusal } from "../../../../execution/module/state-store.ts";

const systemError = (code: string) => Object.assign(new Error(`${code}: no, write`), { code });

it.each([
  ["ENOSPC", "the disk is full (ENOSPC: no, write). Make room on the disk of /s."],
  ["EDQUOT", "this user's quota is used up (EDQUOT: no, write). Make room, or raise the quota, for /s."],
  ["EACCES", "this user may not write there (EACCES: no, write). Let this user write to /s."],
  ["EROFS", "the file system is read-only (EROFS: no, write). Mount the file system of /s for writing."],
  ["EIO", "EIO: no, write"],
])("%s is said with what to do, and is no mismatch", (code, message) => {
  expect(stateFault(systemError(code), "/s")).toEqual({
    code: "internal",
    message: `the new state could not be saved in /s: ${message}`,
    refused: false,
  });
});

it("a state that does not follow is a mismatch, in its own words", () => {
  const refusal = new StateRefusal("failed", "its serial 1 is behind 2", { mend: "Look at it." });
  expect(stateFault(refusal, "/s")).toEqual({
    code: "state_mismatch",
    message: "its serial 1 is behind 2. Look at it.",
    refused: true,
  });
});

it("a damaged state file is no mismatch: the new state is still to be saved", () => {
  expect(stateFault(new KilnError("failed", "/s/state.json is no JSON"), "/s")).toMatchObject({ refused: false });
});

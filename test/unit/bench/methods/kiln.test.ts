import { describe, expect, it } from "vitest";
import { notCompiling } from "../../../../bench/methods/kiln.ts";

const programs = ["aws/bucket", "gcp/topic", "gcp/job"].map((directory) => ({ directory }));

describe("notCompiling", () => {
  it("names the programs that kiln says do not compile", () => {
    const message =
      "kiln cache bake exited with 1: 2 programs do not compile:\n  aws/bucket: main.go:1: no\n  gcp/job: no";
    expect(notCompiling(message, programs)).toEqual(["aws/bucket", "gcp/job"]);
    expect(notCompiling("1 program does not compile:\n  gcp/topic: no", programs)).toEqual(["gcp/topic"]);
  });

  it("names none for any other failure, whatever it mentions", () => {
    expect(notCompiling("the image is not warm:\n  aws/bucket: compiled 3", programs)).toEqual([]);
    expect(notCompiling("1 program does not compile:\n  azure/other: no", programs)).toEqual([]);
  });
});

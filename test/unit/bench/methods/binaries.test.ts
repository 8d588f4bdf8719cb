import { describe, expect, it } from "vitest";
import { parseStarts } from "../../../../bench/methods/binaries.ts";

describe("parseStarts", () => {
  it("gives the median start of each program, and the files", () => {
    const text = [
      "bench-start 30000000 aws/bucket",
      "bench-start 20000000 aws/bucket",
      "bench-start 90000000 aws/bucket",
      "bench-start 10000000 gcp/topic",
      "bench-file 77000000 aws",
    ].join("\n");
    expect(parseStarts(text)).toEqual({
      starts: { "aws/bucket": 0.03, "gcp/topic": 0.01 },
      files: { aws: 77_000_000 },
    });
  });

  it("throws where a program prints nothing, and where there is none", () => {
    expect(() => parseStarts("bench-silent aws/bucket\nbench-start 1 aws/bucket\n")).toThrow(/aws\/bucket printed/);
    expect(() => parseStarts("bench-file 1 aws\n")).toThrow(/no programs/);
  });
});

import { describe, expect, it } from "vitest";
import { parsePreview } from "../../../../bench/first-preview/events.ts";

const pre = (type: string) => JSON.stringify({ resourcePreEvent: { metadata: { op: "create", type } } });
const timed = (...lines: readonly string[]) => lines.map((line, index) => ({ seconds: index + 1, line }));

const WHOLE = [
  "kiln-preview started",
  "kiln-preview ready",
  '{"preludeEvent":{"config":{}}}',
  pre("pulumi:pulumi:Stack"),
  pre("pulumi:providers:aws"),
  pre("aws:s3/bucket:Bucket"),
  pre("aws:s3/bucketPolicy:BucketPolicy"),
  "kiln-preview ended 0",
];

describe("parsePreview", () => {
  it("takes each mark when it came, and for a provider's first resource no provider and no stack", () => {
    expect(parsePreview(timed(...WHOLE))).toEqual({
      startedSeconds: 1,
      readySeconds: 2,
      stackSeconds: 4,
      resourceSeconds: 6,
      endSeconds: 8,
      resources: 2,
      attempts: [],
    });
  });

  it("lists each address once that anything tried to reach", () => {
    const attempts = ["kiln-attempt CONNECT a:443", "kiln-attempt CONNECT b:443", "kiln-attempt CONNECT a:443"];
    expect(parsePreview(timed(...WHOLE, ...attempts)).attempts).toEqual(["CONNECT a:443", "CONNECT b:443"]);
  });

  it("is not misled by what a program prints", () => {
    const printed = ["{not json", '{"resourcePreEvent":null}', "it says kiln-attempt nothing", " kiln-preview ended 1"];
    expect(parsePreview(timed(...WHOLE, ...printed))).toMatchObject({ resources: 2, attempts: [] });
    expect(parsePreview(timed(...WHOLE, ...printed)).error).toBeUndefined();
  });

  it("gives the errors of Pulumi, compiler and program where the preview failed, and no warnings", () => {
    const diagnostic = (severity: string, message: string) =>
      JSON.stringify({ diagnosticEvent: { severity, message } });
    const lines = [
      "kiln-preview started",
      diagnostic("info#err", "./main.go:3:2: undefined: x\n\n"),
      diagnostic("warning", "using a plugin from PATH"),
      diagnostic("error", "no plugin\n"),
    ];
    expect(parsePreview(timed(...lines, "kiln-preview ended 255"), "noise").error).toBe(
      "pulumi preview exited with 255: ./main.go:3:2: undefined: x\nno plugin",
    );
  });

  it("does not take a container that broke off for a preview that went well", () => {
    expect(parsePreview(timed("kiln-preview started"), "sh: pulumi: not found\n").error).toBe(
      "the container ended before its preview: sh: pulumi: not found",
    );
    expect(parsePreview([]).error).toBe("the container ended before its preview");
  });
});

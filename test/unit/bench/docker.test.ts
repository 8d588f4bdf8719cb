import { describe, expect, it } from "vitest";
import { benchImages } from "../../../bench/docker.ts";

describe("benchImages", () => {
  it("are those of the bench's repositories, by tag or digest, whatever the port was", () => {
    const printed = [
      "localhost:4711/kiln-bench/kiln <none> sha256:aa",
      "localhost:80/kiln-bench/published merged sha256:bb",
      "localhost:5180/kiln/base-images/iac-runner-warm <none> sha256:cc",
      "registry.example.com/kiln-bench/x latest <none>",
      "kiln-base bookworm <none>",
      "",
    ].join("\n");
    expect(benchImages(printed)).toEqual([
      "localhost:4711/kiln-bench/kiln@sha256:aa",
      "localhost:80/kiln-bench/published:merged",
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { givenJobRegistries, parseJobRegistries, readJobRegistries } from "../../../release/job-registries.ts";
import { places } from "../../../toolchain/places.ts";

describe("the registries of job runners", () => {
  it("are those of the checkout, until a command names others", async () => {
    const own = await readJobRegistries(places().project);
    expect(own).toEqual(["ghcr.io/your-org/your-repo"]);
    expect(givenJobRegistries(own, [])).toBe(own);
    for (const address of [
      "docker.io/owner",
      "123456789012.dkr.ecr.eu-west-1.amazonaws.com/jobs",
      "a.azurecr.io/jobs",
    ]) {
      expect(givenJobRegistries(own, [address])).toEqual([address]);
    }
  });

  it("are refused where they are none, by the file and the key", () => {
    expect(() => parseJobRegistries("{}")).toThrow("images/job-runner/registries.json: registries must be a list");
    expect(() => parseJobRegistries('{"registries":["ghcr.io"]}')).toThrow("registries[0] must be host/path");
    expect(() => givenJobRegistries([], ["ghcr.io/a/b:v1"])).toThrow("--registry ghcr.io/a/b:v1 is no registry");
  });
});

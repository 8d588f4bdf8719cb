import { expect, it } from "vitest";
import type { ImageConfig } from "../../../registry/client.ts";
import { datelessConfig, IMAGE_DATE } from "../../../registry/dateless-image.ts";

const built = (day: string, machine: string): ImageConfig => ({
  ...{ architecture: "amd64", os: "linux", created: day, container: machine, docker_version: machine },
  config: { Labels: { a: "b" }, Env: ["HOME=/home/runner"] },
  rootfs: { type: "layers", diff_ids: ["sha256:1"] },
  history: [
    { created: day, created_by: "COPY /added/ / # buildkit", comment: "buildkit.dockerfile.v0" },
    { created: day, created_by: "USER 1983:1983", empty_layer: true },
  ],
  "moby.buildkit.buildinfo.v1": machine,
});

it("two builds of one thing are one image, whenever and wherever", () => {
  const one = datelessConfig(built("2026-11-22T09:00:00Z", "one"));
  expect(JSON.stringify(one)).toBe(JSON.stringify(datelessConfig(built("2027-01-01T00:00:00Z", "two"))));
  expect(one).toMatchObject({
    created: IMAGE_DATE,
    config: { Labels: { a: "b" } },
    rootfs: { diff_ids: ["sha256:1"] },
  });
  expect(one.history?.map(({ empty_layer }) => empty_layer === true)).toEqual([false, true]);
});

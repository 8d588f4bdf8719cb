import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { readRegistryBytes } from "../../../../release/workflow/registry-bytes.ts";
import { places } from "../../../../toolchain/places.ts";
import { temporaryDirectory } from "../../../support/temporary-directory.ts";

const BASE = Date.UTC(2026, 10, 22, 5, 0, 0);
const line = (minute: string, request: string, status: number, bytes: number) =>
  `127.0.0.1 - - [22/Nov/2026:${minute}:02 +0000] "${request} HTTP/1.1" ${status} ${bytes} "" "docker"\n`;

it("takes what a job read from the registry's log, and what it sent from the blobs that the registry has since", async () => {
  const state = await temporaryDirectory();
  const here = { ...places({}, state), state };
  const windows = [{ key: "warm", startedAt: BASE, endedAt: BASE + 10_000 }];
  expect(await readRegistryBytes(here, windows)).toBeUndefined();

  const hex = "ab".repeat(32);
  const blob = path.join(state, "registry/data/docker/registry/v2/blobs/sha256/ab", hex);
  await mkdir(blob, { recursive: true });
  await writeFile(path.join(blob, "data"), "x".repeat(321));
  const get = "GET /v2/kiln/warm/blobs/x";
  const put = `PUT /v2/kiln/warm/blobs/uploads/1?digest=sha256:${hex}`;
  const log = path.join(state, "registry/registry.log");
  await writeFile(log, line("04:59", get, 200, 9000));
  expect(await readRegistryBytes(here, windows)).toBeUndefined();

  await writeFile(log, line("04:59", get, 200, 9000) + line("05:00", get, 200, 100) + line("05:00", put, 201, 0));
  const found = await readRegistryBytes(here, windows);
  expect(found?.jobs.get("warm")).toEqual({ read: 100, written: 321 });
});

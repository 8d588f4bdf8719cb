import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { pushBlob } from "../../registry/client.ts";
import { silent } from "../../progress.ts";
import { resolveTool } from "../../toolchain/resolve.ts";
import { places } from "../../toolchain/places.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const upload: Answer = (request, response) => {
  response.writeHead(202, { location: `${request.url ?? ""}1`, range: "0-0" }).end();
};

/** What registries were seen to answer to the bytes of a layer, and what kiln makes of it. */
const FAILINGS: readonly [string, Answer, RegExp, RegExp][] = [
  [
    "runs full",
    (_, response) => response.writeHead(507).end(),
    /failed while it took .*Insufficient Storage/,
    /disk may be full/,
  ],
  ["is read-only", (_, response) => response.writeHead(405).end(), /is read-only/, /Make it writable/],
  ["hangs up half-way", (_, response) => response.destroy(), /does not answer/, /npm run up/],
];

describe("a registry that fails half-way through a push", () => {
  let regctl = "";

  beforeAll(async () => {
    regctl = (await resolveTool("regctl", { places: places(), progress: silent })).path;
  });

  it.each(FAILINGS)(
    "and %s is named, with what to do, and nothing is tagged",
    async (_, answer, says, mend) => {
      const seen: string[] = [];
      const server = createServer((request, response) => {
        seen.push(`${request.method ?? ""} ${request.url ?? ""}`);
        request.resume().on("end", () => {
          if (request.url === "/v2/") response.writeHead(200).end("{}");
          else if (request.method === "HEAD") response.writeHead(404).end();
          else if (request.method === "POST") upload(request, response);
          else answer(request, response);
        });
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      const file = path.join(await temporaryDirectory(), "layer");
      const content = Buffer.alloc(100_000, 7);
      await writeFile(file, content);
      const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
      const repository = `localhost:${(server.address() as AddressInfo).port}/kiln/warm`;
      await expect(pushBlob({ regctl }, repository, file, digest)).rejects.toMatchObject({
        kind: "unreachable",
        message: expect.stringMatching(says) as string,
        mend: expect.stringMatching(mend) as string,
      });
      expect(seen.filter((line) => line.includes("/manifests/"))).toEqual([]);
    },
    60_000,
  );
});

import fc from "fast-check";
import { expect, it } from "vitest";
import { AttachedFrames } from "../../../execution/attached-frames.ts";
import { frame } from "./fake-engine.ts";

function linesOf(chunks: readonly Buffer[]) {
  const lines: Record<"stdout" | "stderr", string[]> = { stdout: [], stderr: [] };
  const frames = new AttachedFrames(
    (line) => lines.stdout.push(line),
    (line) => lines.stderr.push(line),
  );
  for (const chunk of chunks) frames.write(chunk);
  frames.end();
  return lines;
}

it("gives the lines of both streams, however they are cut into pieces and frames", () => {
  const line = fc.string({ unit: "grapheme", minLength: 1 }).map((text) => text.replaceAll(/[\r\n]/g, "ä€🎉"));
  const pieces = fc.array(fc.tuple(fc.constantFrom(1, 2), line, fc.nat(9)), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 40 }), (said, size) => {
      const sent = Buffer.concat(
        said.flatMap(([stream, text, at]) => {
          const bytes = Buffer.from(`${text}\n`);
          return [frame(stream, bytes.subarray(0, at)), frame(stream, bytes.subarray(at))];
        }),
      );
      const chunks = Array.from({ length: Math.ceil(sent.length / size) }, (_, index) =>
        sent.subarray(index * size, (index + 1) * size),
      );
      const of = (wanted: number) => said.filter(([stream]) => stream === wanted).map(([, text]) => text);
      expect(linesOf(chunks)).toEqual({ stdout: of(1), stderr: of(2) });
    }),
  );
});

it("gives a last line that has no end, and waits for nothing after an empty frame", () => {
  const chunks = [frame(1, Buffer.alloc(0)), frame(1, Buffer.from("no end")), frame(2, Buffer.from([0xc3]))];
  expect(linesOf(chunks)).toEqual({ stdout: ["no end"], stderr: ["\uFFFD"] });
});

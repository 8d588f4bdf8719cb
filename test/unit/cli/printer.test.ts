import fc from "fast-check";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { duration, printer, progressText, size, table } from "../../../cli/printer.ts";

/** A printer to a stream of which all is kept, with a clock that stands until it is moved. */
function printing(options: { tty?: boolean; quiet?: boolean; env?: NodeJS.ProcessEnv; columns?: number } = {}) {
  const stream = new PassThrough();
  const clock = { ms: 0 };
  const progress = printer({
    stream: Object.assign(stream, { isTTY: options.tty ?? false, columns: options.columns ?? 80 }),
    quiet: options.quiet ?? false,
    env: options.env ?? {},
    now: () => clock.ms,
  });
  return { progress, clock, printed: () => String(stream.read() ?? "") };
}

describe("without a terminal", () => {
  it("prints steps and notes at once, and where it is every ten seconds", () => {
    const { progress, clock, printed } = printing();
    progress.step("compiling");
    for (let done = 1; done <= 250; done++) {
      clock.ms = done * 100;
      progress.update(`package ${done}`, done, 500);
    }
    progress.note("one left out");
    progress.close();
    expect(printed().split("\n")).toEqual([
      "==> compiling",
      "      0%  package 1",
      "     20%  40s left  package 101",
      "     40%  30s left  package 201",
      "    one left out",
      "",
    ]);
  });

  it("notes and steps no command to the log of a workflow", () => {
    const { progress, printed } = printing();
    progress.note("::add-mask::a\n::add-mask::b");
    progress.update("c ##[add-mask]d", 0, 0);
    expect(printed()).toBe("    \u2237add-mask::a\n\u2237add-mask::b\n    c \uff03#[add-mask]d\n");
  });

  it("says where a new step is without waiting", () => {
    const { progress, printed } = printing();
    progress.update("a", 1, 2);
    progress.step("next");
    progress.update("b", 1, 2);
    expect(printed()).toBe("     50%  a\n==> next\n     50%  b\n");
  });

  it.each([{ tty: false }, { tty: true, env: { CI: "true" } }, { tty: true, env: { TERM: "dumb" } }])(
    "prints no control characters: %j",
    (options) => {
      const { progress, printed } = printing(options);
      progress.step("a");
      progress.update("b", 1, 2);
      progress.close();
      expect(printed()).toBe("==> a\n     50%  b\n");
    },
  );
});

describe("on a terminal", () => {
  it("keeps one line alive, and clears it before anything else", () => {
    const { progress, clock, printed } = printing({ tty: true, env: { NO_COLOR: "1" } });
    progress.step("a");
    progress.update("one", 1, 2);
    progress.update("too soon", 1, 2);
    clock.ms = 100;
    progress.update("two", 2, 2);
    progress.note("n");
    progress.close();
    progress.close();
    expect(printed()).toBe("==> a\n     50%  one\r\u001b[K    100%  two\r\u001b[K    n\n");
  });

  it.each([
    [{}, true],
    [{ NO_COLOR: "" }, true],
    [{ NO_COLOR: "1" }, false],
  ])("with %j, coloured: %s", (env, coloured) => {
    const { progress, printed } = printing({ tty: true, env });
    progress.step("a");
    expect(printed()).toBe(coloured ? "\u001b[1m==>\u001b[0m a\n" : "==> a\n");
  });

  it("never wraps its line", () => {
    const { progress, printed } = printing({ tty: true, columns: 20 });
    progress.update("x".repeat(100), 1, 2);
    expect(printed()).toHaveLength(19);
  });
});

it("prints nothing when quiet", () => {
  const { progress, printed } = printing({ quiet: true, tty: true });
  progress.step("a");
  progress.update("b", 1, 2);
  progress.note("c");
  progress.close();
  expect(printed()).toBe("");
});

describe("progressText", () => {
  it.each<[number, number, number, string]>([
    [0, 10, 5_000, "t"],
    [1, 0, 5_000, "t"],
    [1, 10, 1_000, " 10%  t"],
    [1, 100, 60_000, "  1%  t"],
    [5, 10, 10_000, " 50%  10s left  t"],
    [1, 10, 10_000, " 10%  1m 30s left  t"],
    [10, 10, 10_000, "100%  0s left  t"],
    [12, 10, 10_000, "100%  0s left  t"],
  ])("%d of %d after %d ms", (done, total, elapsed, text) => {
    expect(progressText("t", done, total, elapsed)).toBe(text);
  });
});

describe("duration", () => {
  it.each([
    [0, "0s"],
    [0.4, "0s"],
    [59.4, "59s"],
    [59.6, "1m 0s"],
    [70, "1m 10s"],
    [3_600, "60m 0s"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe("size", () => {
  it.each([
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [1_500_000, "1.5 MB"],
    [9_960_000, "10 MB"],
    [12_345_678, "12 MB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [1_234_000_000, "1.2 GB"],
    [5e15, "5000 TB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });

  it("has at most three digits below a thousand terabytes, and is never far off", () => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9e14 }), (bytes) => {
        const [value = "", unit = ""] = size(bytes).split(" ");
        expect(value).toMatch(/^(\d\.\d|\d{1,3})$/);
        expect(Math.abs((Number(value) * 1000 ** units.indexOf(unit)) / bytes - 1)).toBeLessThan(0.06);
      }),
    );
  });
});

describe("table", () => {
  it("aligns columns and pads no line's end", () => {
    const rows = [
      ["shard", "n", "cost"],
      ["a", "100", ""],
      ["longer one", "1", "2m"],
    ];
    expect(table(rows)).toBe("shard       n    cost\na           100\nlonger one  1    2m");
    expect(table([])).toBe("");
  });
});

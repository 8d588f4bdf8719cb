import type { Span } from "./secret-index.ts";

/**
 * How many characters of base64 or hexadecimal stand before a line end that is taken for a fold: encoders break their lines after
 * 60, 64 or 76. Other lines end where a text does, and are passed on as they come.
 */
const LEAST_RUN = 32;

/** A fold behind such a run: a line end, or one that is written `\n` as in JSON, with the blanks behind it. */
const FOLD = /(?:[\r\n]|\\[nr]|\\$)(?:[\r\n \t]|\\[nr]|\\$)*/y;
const DIGIT = /[A-Za-z0-9+/_-]/;

/** A text without its folds: what an encoder broke into lines is one again. The same as folds.go of images/programs/redact. */
export class Unfolded {
  readonly text: string;
  readonly folds: readonly Span[];

  /** `run` is how many characters of base64 stand before the text. At its end a `\` may be the beginning of a fold. */
  constructor(text: string, run: number) {
    this.folds = /[\r\n\\]/.test(text) ? foldsOf(text, run) : [];
    let at = 0;
    const parts = this.folds.map(({ from, to }) => {
      const part = text.slice(at, from);
      at = to;
      return part;
    });
    this.text = [...parts, text.slice(at)].join("");
  }

  /** Where a character of the unfolded text stands in the text that was folded. */
  place(at: number): number {
    let place = at;
    for (const { from, to } of this.folds) {
      if (from > place) break;
      place += to - from;
    }
    return place;
  }

  /** The parts of the folded text that a span of the unfolded one is. */
  parts(span: Span): readonly [Span, ...Span[]] {
    const first = this.place(span.from);
    const end = this.place(span.to - 1) + 1;
    const crossed = this.folds.filter(({ from }) => from > first && from < end);
    const starts = [first, ...crossed.map(({ to }) => to)];
    const ends = [...crossed.map(({ from }) => from), end];
    return starts.map((from, at) => ({ from, to: ends[at] ?? end })) as unknown as [Span, ...Span[]];
  }
}

function foldsOf(text: string, before: number): readonly Span[] {
  const folds: Span[] = [];
  let run = before;
  for (let at = 0; at < text.length; at++) {
    if (DIGIT.test(text.charAt(at))) {
      run++;
      continue;
    }
    FOLD.lastIndex = at;
    if (run >= LEAST_RUN && FOLD.test(text)) {
      folds.push({ from: at, to: FOLD.lastIndex });
      at = FOLD.lastIndex - 1;
    }
    run = 0;
  }
  return folds;
}

/** How many characters of base64 stand before a place of a text that has `run` of them before it. */
export function runBefore(text: string, place: number, run: number): number {
  let count = 0;
  while (count < place && count < LEAST_RUN && DIGIT.test(text.charAt(place - 1 - count))) count++;
  return count === place ? Math.min(count + run, LEAST_RUN) : count;
}

/** Sorts spans, and makes one of those that share a character; two that only touch are two. */
export function joined(spans: readonly Span[]): readonly Span[] {
  const list: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = list.at(-1);
    if (last === undefined || span.from >= last.to) list.push(span);
    else list[list.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
  }
  return list;
}

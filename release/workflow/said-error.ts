/** Lines of an error that a summary repeats: programs that do not compile are one each. */
const MOST_LINES = 4;

/**
 * What kiln says went wrong in the last lines of a log, as one line and without what to do about it; nothing where another program
 * ended. Pure.
 */
export function saidError(lines: readonly string[]): string | undefined {
  const start = lines.findLastIndex((line) => line.startsWith("kiln: "));
  if (start === -1) return undefined;
  const [first = "", ...others] = lines.slice(start);
  // A message goes on with two spaces; what mends it stands deeper (cli/main.ts).
  const end = others.findIndex((line) => !/^ {2}\S/.test(line));
  const more = end === -1 ? others : others.slice(0, end);
  const shown = more.slice(0, MOST_LINES - 1).map((line) => line.trim());
  const left = more.length - shown.length;
  return [first.slice("kiln: ".length), ...shown, ...(left > 0 ? [`and ${left} more`] : [])].join(" ");
}

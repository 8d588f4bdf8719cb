import type { Command } from "./command.ts";

/** The page that lists commands, a line each. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: npx kiln COMMAND [options]\n\n${lines.join("\n")}\n\nnpx kiln COMMAND --help says more about one.\n`;
}

/** The page about one command. */
export function helpOf(command: Command): string {
  const lines = Object.entries({
    ...command.help,
    json: "print one JSON document on standard output",
    quiet: "no progress on standard error",
    debug: "show stack traces",
    help: "this page",
  }).map(([name, text]) => {
    const takesValue = command.options[name]?.type === "string";
    return [`  --${name}${takesValue ? " VALUE" : ""}`, text] as const;
  });
  const width = Math.max(...lines.map(([flag]) => flag.length));
  const options = lines.map(([flag, text]) => `${flag.padEnd(width)}  ${text}`).join("\n");
  return `Usage: npx kiln ${`${command.name} ${command.usage}`.trim()} [options]\n\n${command.summary}\n\n${options}\n
Exit codes: 0 done, 1 the work failed, 2 wrong usage or bad input, 3 a check found a difference,
4 something outside could not be reached, 130 interrupted.\n`;
}

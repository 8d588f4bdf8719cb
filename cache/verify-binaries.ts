import { KilnError } from "../errors.ts";
import { runOffline, type ContainerEngine } from "../execution/offline-container.ts";
import { isTextMap } from "./document.ts";
import { COMMANDS_FOLDER } from "./layer-entries.ts";
import { CHECK_VARIABLE, reachedLine } from "./multi-call/main-source.ts";
import type { Program } from "./programs.ts";
import { verificationOf, type ProgramCheck, type Verification } from "./verification.ts";

/** Starts each command up to its main, and says what that took; those that warming could not start are only looked for. */
const START_SCRIPT = `
cat ${COMMANDS_FOLDER}/*.json 2>/dev/null || true
echo kiln-commands
for name in $(cat ${COMMANDS_FOLDER}/*.json 2>/dev/null | sed -n 's/^ *"[^"]*": "\\([^"]*\\)",*$/\\1/p'); do
  if cat ${COMMANDS_FOLDER}/*.unproven 2>/dev/null | grep -qxF -- "$name"; then
    ! command -v "$name" >/dev/null || echo "kiln-unproven $name"
    continue
  fi
  start=$(date +%s.%N)
  code=0
  printed=$(${CHECK_VARIABLE}=1 "$name" 2>&1 </dev/null) || code=$?
  printf 'kiln-start %s %s %s %s\\n' "$name" "$code" "$start" "$(date +%s.%N)"
  printf '%s\\n' "$printed" | tail -n 3 | sed 's/^/kiln-said /'
done`;

/**
 * Starts the binary of every program inside an image, as its default user, without network, up to the begin of its main:
 * it is found by its command's name, runs there, and is the program that it is named after.
 */
export async function verifyBinaries(
  engine: ContainerEngine,
  image: string,
  platform: string,
  programs: readonly Program[],
): Promise<Verification> {
  const { stdout } = await runOffline(engine, { image, platform, command: ["/bin/sh", "-euc", START_SCRIPT] });
  return parseStarts(stdout, programs);
}

/** Reads what the script printed: a program without a command, or whose command does not reach its main, is a fault. */
export function parseStarts(text: string, programs: readonly Program[]): Verification {
  const [documents = "", starts = ""] = text.split("kiln-commands\n", 2);
  const commands = parseCommands(documents);
  const seen = new Map<string, { code: string; seconds: number; said: string[] }>();
  const unproven = new Set<string>();
  let current: { said: string[] } | undefined;
  for (const line of starts.split("\n")) {
    if (line.startsWith("kiln-unproven ")) unproven.add(line.slice("kiln-unproven ".length));
    const [, name, code = "", start, end] = /^kiln-start (\S+) (\d+) (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined) {
      const started = { code, seconds: Number(end) - Number(start), said: [] };
      seen.set(name, started);
      current = started;
    } else if (line.startsWith("kiln-said ")) current?.said.push(line.slice("kiln-said ".length));
  }
  return verificationOf(
    programs.map(({ directory }): ProgramCheck => {
      const check = { directory, compiled: [], firstSeconds: 0 };
      const command = commands[directory];
      if (command === undefined) return { ...check, error: "the image has no command for it" };
      if (unproven.has(command)) return check;
      const started = seen.get(command);
      if (started === undefined) throw new KilnError("failed", `the start of ${command} printed nothing`);
      const { code, seconds: startSeconds, said } = started;
      if (code === "0" && said.at(-1) === reachedLine(command)) return { ...check, startSeconds };
      return { ...check, startSeconds, error: `${command} ends with ${code} before its main: ${said.join(" ")}` };
    }),
  );
}

/** Command names by program directories, of all providers' documents, one after the other. */
function parseCommands(text: string): Readonly<Record<string, string>> {
  const parts = text.split(/(?<=^\}\n)/m).filter((part) => part.trim() !== "");
  const commands: Record<string, string> = {};
  for (const part of parts) {
    const document: unknown = JSON.parse(part);
    if (!isTextMap(document)) throw new KilnError("difference", `the image's commands are none: ${part.slice(0, 80)}`);
    Object.assign(commands, document);
  }
  return commands;
}

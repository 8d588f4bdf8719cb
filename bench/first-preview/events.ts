import { lastLines } from "../../toolchain/process.ts";

/** A line that a preview's container printed, and when it came, in seconds after the container's start. */
export interface TimedLine {
  readonly seconds: number;
  readonly line: string;
}

/** What one preview did. Times in seconds after the container's start; absent for what never came about. */
export interface PreviewMarks {
  /** The container's own first word. */
  readonly startedSeconds?: number;
  /** Backend and stack are there: `pulumi preview` begins. */
  readonly readySeconds?: number;
  /** The program runs: its stack, the first resource of all, is registered. */
  readonly stackSeconds?: number;
  /** The first resource of a provider is registered, its inputs checked by the provider. */
  readonly resourceSeconds?: number;
  readonly endSeconds?: number;
  /** Resources of providers. */
  readonly resources: number;
  /** Addresses that anything in the container tried to reach, as `CONNECT proxy.golang.org:443`, each once. */
  readonly attempts: readonly string[];
  /** What went wrong. Absent when the preview ended well. */
  readonly error?: string;
}

/** An event of `pulumi preview --json` as far as it is read (sdk/go/common/apitype/events.go). */
interface EngineEvent {
  readonly resourcePreEvent?: { readonly metadata?: { readonly type?: string } };
  readonly diagnosticEvent?: { readonly message?: string; readonly severity?: string };
}

const MARK = /^kiln-preview (started|ready|ended)(?: (\d+))?$/;
const ATTEMPT = /^kiln-attempt (.+)$/;

/** Reads what a preview's container printed: the script's marks, the recorder's attempts and Pulumi's streamed events. */
export function parsePreview(lines: readonly TimedLine[], stderr = ""): PreviewMarks {
  const marks: { -readonly [key in keyof PreviewMarks]?: PreviewMarks[key] } = {};
  const attempts = new Set<string>();
  const said: string[] = [];
  let [resources, code] = [0, -1];
  for (const { seconds, line } of lines) {
    const mark = MARK.exec(line);
    const attempt = ATTEMPT.exec(line)?.[1];
    if (mark?.[1] === "started") marks.startedSeconds = seconds;
    if (mark?.[1] === "ready") marks.readySeconds = seconds;
    if (mark?.[1] === "ended") {
      marks.endSeconds = seconds;
      code = Number(mark[2]);
    }
    if (attempt !== undefined) attempts.add(attempt);
    const { resourcePreEvent, diagnosticEvent } = engineEvent(line);
    const type = resourcePreEvent?.metadata?.type ?? "";
    if (type === "pulumi:pulumi:Stack") marks.stackSeconds ??= seconds;
    // Whether a provider itself is shown is the engine's affair; it is nobody's first resource.
    if (type !== "" && !type.startsWith("pulumi:")) {
      marks.resourceSeconds ??= seconds;
      resources += 1;
    }
    // Of the severities only these tell what failed; a program's and the compiler's own words are `info#err`.
    if (/^(error|info#err)$/.test(diagnosticEvent?.severity ?? "")) said.push((diagnosticEvent?.message ?? "").trim());
  }
  if (code === 0) return { ...marks, resources, attempts: [...attempts] };
  const outcome = code < 0 ? "the container ended before its preview" : `pulumi preview exited with ${code}`;
  const reason = lastLines(said.length > 0 ? said.join("\n") : stderr, 12);
  return { ...marks, resources, attempts: [...attempts], error: reason === "" ? outcome : `${outcome}: ${reason}` };
}

function engineEvent(line: string): EngineEvent {
  if (!line.startsWith("{")) return {};
  try {
    return JSON.parse(line) as EngineEvent;
  } catch {
    // Programs may print what they like.
    return {};
  }
}

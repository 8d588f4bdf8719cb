import { KilnError } from "../../errors.ts";
import { dockerCall } from "../docker-call.ts";
import type { ContainerEngine } from "../offline-container.ts";
import type { LanguageProgram } from "./catalogue.ts";
import type { ContentFacts, ImageFacts } from "./structure.ts";

interface Inspected {
  readonly Config: {
    readonly User?: string;
    readonly Env?: readonly string[] | null;
    readonly WorkingDir?: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
}

/** What the engine says of an image that it has. */
export async function readImageFacts(engine: ContainerEngine, image: string): Promise<ImageFacts> {
  const { code, stdout } = await dockerCall(engine, ["image", "inspect", image], { allowFailure: true });
  if (code !== 0) {
    throw new KilnError("usage", `the engine has no image ${image}`, {
      mend: "Build it first: `kiln language build`.",
    });
  }
  const [{ Config }] = JSON.parse(stdout) as [Inspected];
  const environment = (Config.Env ?? []).map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return {
    user: Config.User ?? "",
    environment: Object.fromEntries(environment),
    workingDirectory: Config.WorkingDir ?? "",
    labels: Config.Labels ?? {},
  };
}

/**
 * The script that looks around in a container and prints what `contentFacts` reads. It runs as the user of least rights: that
 * one must be able to ask every program, too.
 */
export function contentScript(programs: Readonly<Record<string, LanguageProgram>>): string {
  const asks = Object.entries(programs).map(
    ([name, { ask }]) => `echo '${MARK}answer ${name}'; ${ask.map((word) => `'${word}'`).join(" ")} 2>&1 || true`,
  );
  return [
    "cd /tmp",
    ...asks,
    `echo '${MARK}open'`,
    String.raw`find / -xdev \( -path /proc -o -path /sys -o -path /dev \) -prune -o \( -type f -perm -0002 -o -type d -perm -0002 ! -perm -1000 \) -print 2>/dev/null`,
    `echo '${MARK}privileged'`,
    String.raw`find / -xdev -type f -perm /6000 2>/dev/null`,
    `echo '${MARK}leftovers'`,
    `find /var/lib/apt/lists /var/cache/apt /var/log /tmp /var/tmp /home/runner /workspace /root -type f ${ADDED} 2>/dev/null`,
    `echo '${MARK}bytes'`,
    String.raw`find / -xdev -type f ${ADDED} -printf '%s\n' 2>/dev/null | awk '{ sum += $1 } END { printf "%.0f\n", sum }'`,
    "true",
  ].join("\n");
}

const MARK = "=== ";

/** What the image adds to its base is known by its date. */
const ADDED = "! -newermt 1980-01-02";

/** Reads what `contentScript` printed. Pure. */
export function contentFacts(printed: string): ContentFacts {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of printed.split("\n")) {
    if (line.startsWith(MARK)) sections.set(line.slice(MARK.length), (lines = []));
    else if (line !== "") lines.push(line);
  }
  const answers = [...sections].flatMap(([name, said]) => {
    const program = /^answer (.*)$/.exec(name)?.[1];
    return program === undefined ? [] : [[program, said.join("\n")] as const];
  });
  const of = (name: string) => sections.get(name) ?? [];
  return {
    answers: Object.fromEntries(answers),
    open: of("open"),
    privileged: of("privileged"),
    leftovers: of("leftovers"),
    bytes: Number(of("bytes")[0] ?? Number.NaN),
  };
}

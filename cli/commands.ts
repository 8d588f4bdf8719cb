import type { Command } from "./command.ts";

/** Commands that come from one file. */
interface Group {
  /** The first words of their names. */
  readonly words: readonly string[];
  readonly load: () => Promise<readonly Command[]>;
}

/** Every group, in the order that the overview shows. A group's code is read when one of its words is called. */
const GROUPS: readonly Group[] = [
  { words: ["up", "down"], load: async () => (await import("./local.ts")).localCommands },
  { words: ["clean"], load: async () => [(await import("./clean.ts")).cleanCommand] },
  { words: ["preview", "refresh", "destroy"], load: async () => (await import("./pulumi.ts")).pulumiCommands },
  { words: ["env"], load: async () => [(await import("./env.ts")).envCommand] },
  { words: ["doctor"], load: async () => [(await import("./doctor.ts")).doctor] },
  { words: ["cache"], load: async () => (await import("./cache/commands.ts")).cacheCommands },
  { words: ["module"], load: async () => (await import("./module/commands.ts")).moduleCommands },
  { words: ["language"], load: async () => (await import("./language/commands.ts")).languageCommands },
  { words: ["job"], load: async () => (await import("./job/commands.ts")).jobCommands },
  { words: ["registry"], load: async () => [(await import("./registry.ts")).registryLoginCommand] },
  { words: ["release"], load: async () => (await import("./release/commands.ts")).releaseCommands },
  { words: ["watch"], load: async () => [(await import("./watch.ts")).watchCommand] },
  { words: ["backend"], load: async () => (await import("./backend.ts")).backendCommands },
  { words: ["lint"], load: async () => [(await import("./lint.ts")).lintCommand] },
  { words: ["test"], load: async () => [(await import("./test.ts")).testCommand] },
];

/** The commands whose names begin with this word; every command without one, or with one that none begins with. */
export async function readCommands(word?: string): Promise<readonly Command[]> {
  const group = GROUPS.find(({ words }) => word !== undefined && words.includes(word));
  if (group !== undefined) return group.load();
  return (await Promise.all(GROUPS.map(({ load }) => load()))).flat();
}

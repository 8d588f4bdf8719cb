import type { Command } from "../command.ts";
import { moduleBuildCommands } from "./build.ts";
import { pinCommand } from "./pin.ts";
import { runCommands } from "./run.ts";

/** The commands of `kiln module`, in the order of its help. */
export const moduleCommands: readonly Command[] = [...moduleBuildCommands, pinCommand, ...runCommands];

import type { Command } from "../command.ts";
import { bakeCommand } from "./bake.ts";
import { explainCommand } from "./explain.ts";
import { composeCommand, layersCommand } from "./layers.ts";
import { modulesCommand, planCommand } from "./plan.ts";
import { pluginsCommand } from "./plugins.ts";
import { reportCommand } from "./report.ts";
import { shardCommand } from "./shard.ts";
import { verifyCommand } from "./verify.ts";
import { mergeCommand, simulateCommand, warmCommand } from "./warm.ts";

/** The commands of `kiln cache`, in the order of its help. */
export const cacheCommands: readonly Command[] = [
  modulesCommand,
  planCommand,
  warmCommand,
  shardCommand,
  mergeCommand,
  verifyCommand,
  layersCommand,
  composeCommand,
  bakeCommand,
  simulateCommand,
  reportCommand,
  explainCommand,
  pluginsCommand,
];

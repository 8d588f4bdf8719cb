import type { Command } from "../command.ts";
import { commentCommand } from "./comment.ts";
import { driftCommand } from "./drift.ts";
import { historyCommand, rollbackCommand } from "./history.ts";
import { imageCommand } from "./image.ts";
import { promoteCommand } from "./promote.ts";
import { proposeCommand } from "./propose.ts";
import { pruneCommand } from "./prune.ts";
import { publishCommand } from "./publish.ts";
import { releaseRunCommand } from "./run.ts";
import { touchedCommand } from "./touched.ts";

/** The commands of `kiln release`, in the order of its help. */
export const releaseCommands: readonly Command[] = [
  releaseRunCommand,
  publishCommand,
  proposeCommand,
  promoteCommand,
  historyCommand,
  rollbackCommand,
  pruneCommand,
  driftCommand,
  imageCommand,
  touchedCommand,
  commentCommand,
];

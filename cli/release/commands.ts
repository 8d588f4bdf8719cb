import type { Command } from "../command.ts";
import { commentCommand } from "./comment.ts";
import { driftCommand } from "./drift.ts";
import { historyCommand, rollbackCommand } from "./history.ts";
import { imageCommand } from "./image.ts";
import { releasePlanCommand } from "./plan.ts";
import { platformIndexCommand } from "./platform-index.ts";
import { promoteCommand } from "./promote.ts";
import { proposeCommand } from "./propose.ts";
import { pruneCommand } from "./prune.ts";
import { publishCommand } from "./publish.ts";
import { releaseRunCommand } from "./run.ts";
import { sbomCommand } from "./sbom.ts";
import { sealCommand } from "./seal.ts";
import { scanCommand } from "./scan.ts";
import { touchedCommand } from "./touched.ts";
import { verifySealCommand } from "./verify.ts";

/** The commands of `kiln release`, in the order of its help. */
export const releaseCommands: readonly Command[] = [
  releasePlanCommand,
  releaseRunCommand,
  sealCommand,
  verifySealCommand,
  sbomCommand,
  scanCommand,
  platformIndexCommand,
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

import type { Command } from "../command.ts";
import { languageBuildCommand, languageCheckCommand } from "./build.ts";
import { languagePinCommand } from "./pin.ts";
import { languageHistoryCommand, languagePublishCommand, languagePushCommand } from "./publish.ts";
import { languageReleaseCommand } from "./release.ts";

/** The commands of `kiln language`, in the order of its help. */
export const languageCommands: readonly Command[] = [
  languageBuildCommand,
  languageCheckCommand,
  languagePinCommand,
  languagePushCommand,
  languagePublishCommand,
  languageReleaseCommand,
  languageHistoryCommand,
];

import { existsSync } from "node:fs";
import path from "node:path";
import { fetchModules, type FetchedModules } from "../module-proxy.ts";
import type { Step } from "../step.ts";

/** Fetches all modules once, so that no method waits for the network. */
export const modulesStep: Step<FetchedModules> = {
  id: "modules",
  title: "fetching all modules once; from here on every method gets them from that folder, without network",
  method: "common",
  standing: ({ work }) => Promise.resolve(existsSync(path.join(work, "modules/cache/download"))),
  run: (context) => fetchModules(context.selection, context),
};

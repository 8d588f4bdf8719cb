import { Executor } from "../../execution/module/executor.ts";
import { MODULE_ACTIONS, type ModuleAction } from "../../execution/module/request.ts";
import { readyEngine } from "../../toolchain/docker-engine.ts";
import { places } from "../../toolchain/places.ts";
import type { Command, Invocation, Outcome } from "../command.ts";
import { oneArgument, repeated } from "../options.ts";
import { imageOf } from "./image-argument.ts";
import { ACTION_OPTIONS, RUN_HELP, RUN_OPTIONS, runRequest, runSettings } from "./run-options.ts";
import { exitCodeOf, resultDocument, resultText, sayEvent } from "./run-text.ts";
import { secretValues, terminalPrompt } from "./secret-values.ts";

const SUMMARIES: Readonly<Record<ModuleAction, string>> = {
  preview: "Show what applying an IaC module would change.",
  apply: "Make the resources of an IaC module as it says.",
  refresh: "Say whether resources are still as the state of an IaC module has them.",
  destroy: "Destroy the resources of an IaC module.",
  import: "Take existing resources into the state of an IaC module.",
};

/** `kiln module preview|apply|refresh|destroy|import`. */
export const runCommands: readonly Command[] = MODULE_ACTIONS.map((action) => ({
  name: `module ${action}`,
  summary: SUMMARIES[action],
  usage: "REF|DIR",
  options: { ...RUN_OPTIONS, ...ACTION_OPTIONS[action].options },
  help: { ...RUN_HELP, ...ACTION_OPTIONS[action].help },
  run: (invocation) => runAction(action, invocation),
}));

async function runAction(action: ModuleAction, { values, positionals, progress }: Invocation): Promise<Outcome> {
  const target = oneArgument(positionals, "REF or DIR");
  const request = await runRequest(action, values);
  const settings = runSettings(values);
  const inputs = await secretValues(repeated(values, "secret"), { env: process.env, ask: terminalPrompt() });
  const executor = new Executor();
  const asked = { ...settings, request, secrets: { inputs } };
  await executor.check(asked);
  const engine = await readyEngine({ places: places(), progress });
  const result = await executor.execute({
    ...asked,
    image: await imageOf(target, engine, progress),
    engine,
    progress,
    onEvent: (event) => {
      sayEvent(event, progress);
    },
  });
  const show = values["show-secrets"] === true;
  return {
    json: resultDocument(result, show),
    text: resultText(result, show),
    exitCode: exitCodeOf(result.response, request),
  };
}

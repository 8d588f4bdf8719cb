import { KilnError, messageOf } from "../../errors.ts";
import type { ContainerFacts } from "../container-facts.ts";
import type { ContainerPlan } from "../container-plan.ts";
import type { Container } from "../container-run.ts";
import type { JobDescription } from "./description.ts";
import { inputFolders, WORKSPACE } from "./environment.ts";
import { inputTar, type JobInput } from "./input-folder.ts";
import type { JobOutput } from "./job-output.ts";

/** A job and the container that is about to be made for it. */
export interface ContainedJob {
  readonly description: JobDescription;
  readonly input: JobInput;
  readonly container: Pick<Container, "create" | "copyIn" | "run">;
  /** How the container is made, with the input as mounts of a folder or without. */
  readonly plan: (inputFolder: string | undefined) => ContainerPlan;
  /** The whole of standard input. */
  readonly secrets: Buffer;
  readonly output: Pick<JobOutput, "line" | "errorLine">;
  /** Called once it runs, and again. */
  readonly onStarted: () => void;
  readonly stop: AbortSignal;
}

/** What an engine says of a folder that its machine does not have, or does not give to containers. */
const UNSEEN = /bind source path does not exist|mounts denied/i;
/** What the client says last of a container that was not made. */
const HINT = /^(?:(?:See|Run) 'docker run --help'.*|\s*)$/;

/**
 * Runs it with its input as read-only mounts of a folder, and returns how it ended; undefined where the engine does not see
 * the folder: its socket was mounted here, or is that of a virtual machine.
 */
export async function runMounted(job: ContainedJob, inputFolder: string): Promise<ContainerFacts | undefined> {
  let said = "";
  const onStderrLine = (line: string) => {
    if (!HINT.test(line)) said = line;
    if (!UNSEEN.test(line)) job.output.errorLine(line);
  };
  try {
    return await job.container.run({ ...wires(job), plan: job.plan(inputFolder), onStderrLine });
  } catch (error) {
    if (!/no such container/i.test(messageOf(error)) || said === "") throw error;
    if (UNSEEN.test(said)) return undefined;
    throw new KilnError("failed", `the container could not be made: ${said}`, { cause: error });
  }
}

/** Runs it with its input copied into the container, which serves every engine, and returns how it ended. */
export async function runCopied(job: ContainedJob): Promise<ContainerFacts> {
  const { container, description, input } = job;
  await container.create(job.plan(undefined));
  for (const name of inputFolders(description)) {
    await container.copyIn(await inputTar(input, name), `${WORKSPACE}/${name}`);
  }
  return container.run(wires(job));
}

function wires({ secrets, output, onStarted, stop }: ContainedJob) {
  return {
    input: secrets,
    onStdoutLine: (line: string) => {
      onStarted();
      output.line(line);
    },
    onStderrLine: (line: string) => {
      output.errorLine(line);
    },
    stop,
  };
}

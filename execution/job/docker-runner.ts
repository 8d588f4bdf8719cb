import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { KilnError, messageOf } from "../../errors.ts";
import { silent, type Progress } from "../../progress.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import type { ContainerFacts } from "../container-facts.ts";
import { Container } from "../container-run.ts";
import { identifyImage, type IdentifiedImage } from "../image-identity.ts";
import { engineSocket } from "../local-engine.ts";
import type { ContainerEngine } from "../offline-container.ts";
import { Redactor } from "../redactor.ts";
import { copyOutput } from "./copied-output.ts";
import type { JobDescription } from "./description.ts";
import { dockerPlan } from "./docker-plan.ts";
import { inputFolders, WORKSPACE } from "./environment.ts";
import { finalResult } from "./final-result.ts";
import { Gate } from "./gate.ts";
import { JobHistory } from "./history.ts";
import { INPUT_FOLDER, inputTar, readInput, writeInputFolder, type JobInput } from "./input-folder.ts";
import { JobDeadline } from "./job-deadline.ts";
import { JobOutput } from "./job-output.ts";
import type { JobRun, JobRunOptions } from "./job-options.ts";
import { bytesOf } from "./limits.ts";
import { IsolatedNetworks, namedNetwork, type LeasedNetwork } from "./network.ts";
import { ownerMark, settleOrphans } from "./orphans.ts";
import { pinInput } from "./pinned-description.ts";
import { Removals } from "./removals.ts";
import { secretDocument, secretTexts, type JobSecretDocument } from "./secret-document.ts";
import { stopSeconds } from "./timeouts.ts";

/** Starting more containers than this at once makes each of them, and all together, slower. */
const STARTING_AT_ONCE = Math.max(12, 4 * availableParallelism());
const LOGS_BYTES = 64 * 1024 * 1024;

/** Runs jobs in containers of one Docker engine. Several may be at it at once: they share its networks and its gate. */
export class DockerRunner {
  readonly #engine: ContainerEngine;
  /** Whether the engine sees this machine's disk: its socket is a file here. */
  readonly #isLocal: boolean;
  readonly #networks: IsolatedNetworks;
  readonly #gate = new Gate(STARTING_AT_ONCE);
  readonly #owner = ownerMark();
  readonly #removals: Removals;
  readonly #asked = new Map<string, Promise<IdentifiedImage>>();
  #settled: Promise<unknown> | undefined;

  constructor(engine: Engine, options: { readonly env?: NodeJS.ProcessEnv } = {}) {
    const env = engineEnvironment(engine, options.env ?? process.env);
    this.#engine = { docker: engine.docker, env, socket: engineSocket(engine, env) };
    this.#removals = new Removals(this.#engine);
    this.#isLocal = engine.host === undefined ? engine.managed : engine.host.startsWith("unix://");
    this.#networks = new IsolatedNetworks(this.#engine, { owner: this.#owner, guards: this.#isLocal });
  }

  /**
   * Runs a job to its end and returns its result, also where the script failed, was cancelled or took too long. Throws a
   * KilnError for what kept it from being run at all.
   */
  async run(options: JobRunOptions): Promise<JobRun> {
    const document = secretDocument(options.description, options.secrets ?? {});
    const input = await readInput(options.description);
    // Made while the engine says what the image is.
    const leasing = this.#network(options.description);
    leasing.catch(() => undefined);
    try {
      return await this.#runIn(leasing, { ...options, document, input });
    } finally {
      await leasing.then((network) => network.giveBack()).catch(() => undefined);
    }
  }

  async #runIn(leasing: Promise<LeasedNetwork>, options: CheckedOptions): Promise<JobRun> {
    const { document, input, secrets = {}, progress = silent } = options;
    const deadline = new JobDeadline(options.description.timeouts, options.signal);
    const [image] = await Promise.all([
      this.#identified(options.description, { progress, signal: deadline.signal }),
      (this.#settled ??= settleOrphans(this.#engine, progress)),
    ]);
    const digest = image.repoDigests[0] ?? image.id;
    const description = pinInput({ ...options.description, image_digest: digest }, input);
    const instance = randomUUID();
    const name = `kiln-job-${description.job_id.slice(0, 40)}-${instance.slice(0, 8)}`;
    const history = await JobHistory.begin(options.history, description, name);
    const container = new Container(
      this.#engine,
      { name, instance },
      { graceSeconds: stopSeconds(description.timeouts) },
      true,
    );
    progress.step(`job ${description.job_id}: ${description.script} on ${image.reference}`);
    const fail = async (error: unknown): Promise<never> => {
      // The folder shall not look like a job that is still at work.
      const facts = { exitCode: -1, outOfMemory: false, error: messageOf(error), startedAt: "", finishedAt: "" };
      await history.end(finalResult(description, undefined, { facts, cause: deadline.cause })).catch(() => undefined);
      throw error;
    };
    const network = await leasing.catch(fail);
    const output = new JobOutput({
      folder: history.folder,
      redactor: new Redactor(secretTexts(secrets)),
      mostBytes: mostBytes(description),
      onEvent: options.onEvent ?? (() => undefined),
    });
    const work = { description, imageId: image.id, input, container, network, history, output, deadline };
    try {
      const facts = await this.#contained(work, JSON.stringify(document));
      const { result, fault } = await taken(output, container, history, mostBytes(description));
      const final = finalResult(description, result, { facts, cause: deadline.cause, fault });
      const noted = fault === undefined ? final : { ...final, notes: [...(final.notes ?? []), fault] };
      await history.end(noted);
      const { sandbox } = dockerPlan(description, this.#placing(work, undefined));
      const relaxations = [...sandbox.relaxations, ...network.relaxations];
      return {
        result: noted,
        description,
        folder: history.folder,
        runner: "docker",
        container: name,
        sandbox: { ...sandbox, relaxations },
      };
    } catch (error) {
      return await fail(error);
    } finally {
      await this.#discard(container, progress);
      await rm(path.join(history.folder, INPUT_FOLDER), { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Jobs that start at the same moment ask once: what an image is does not differ between them. */
  #identified(
    { image, image_digest: digest }: JobDescription,
    asking: { readonly progress: Progress; readonly signal: AbortSignal },
  ): Promise<IdentifiedImage> {
    const key = `${image} ${digest ?? ""}`;
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const answer = identifyImage(this.#engine, image, { expected: digest?.split("@").at(-1), ...asking });
    this.#asked.set(key, answer);
    return answer.finally(() => this.#asked.delete(key));
  }

  async #network({ network }: JobDescription): Promise<LeasedNetwork> {
    return network === "isolated" ? this.#networks.lease() : namedNetwork(network);
  }

  #placing(work: Pick<Work, "imageId" | "network" | "history">, inputFolder: string | undefined) {
    const { imageId, network, history } = work;
    return { imageId, network: network.name, inputFolder, owner: this.#owner, historyFolder: history.folder };
  }

  /** From the making of the container to its end. */
  async #contained(work: Work, secrets: string): Promise<ContainerFacts> {
    const { description, input, container, output, deadline } = work;
    const folder = this.#isLocal ? await writeInputFolder(input, work.history.folder) : undefined;
    const leave = await this.#gate.enter();
    try {
      const plan = dockerPlan(description, this.#placing(work, folder));
      if (folder === undefined) {
        await container.create(plan);
        for (const name of inputFolders(description)) {
          await container.copyIn(await inputTar(input, name), `${WORKSPACE}/${name}`);
        }
      }
      let said = "";
      const facts = container.run({
        ...(folder === undefined ? {} : { plan }),
        input: Buffer.from(secrets),
        onStdoutLine: (line) => {
          leave();
          output.line(line);
        },
        onStderrLine: (line) => {
          said = line;
          output.errorLine(line);
        },
        stop: deadline.signal,
      });
      return await facts.catch((error: unknown) => {
        if (!/no such container/i.test(messageOf(error)) || said === "") throw error;
        throw new KilnError("failed", `the container could not be made: ${said}`, { cause: error });
      });
    } finally {
      leave();
    }
  }

  async #discard(container: Container, progress: Progress): Promise<void> {
    if ((await this.#removals.remove(container.name)) || (await container.remove())) return;
    progress.note(
      `the container ${container.name} could not be removed: docker rm --volumes --force ${container.name}`,
    );
  }
}

interface CheckedOptions extends JobRunOptions {
  readonly document: JobSecretDocument;
  readonly input: JobInput;
}

interface Work {
  readonly description: JobDescription;
  readonly imageId: string;
  readonly input: JobInput;
  readonly container: Container;
  readonly network: LeasedNetwork;
  readonly history: JobHistory;
  readonly output: JobOutput;
  readonly deadline: JobDeadline;
}

/** What the job left: as it came by standard output, else what the container has. */
async function taken(output: JobOutput, container: Container, history: JobHistory, most: number) {
  const isWhole = await output.close();
  if (isWhole && output.result !== undefined) return { result: output.result, fault: undefined };
  const copied = await copyOutput(container, history.folder, most);
  return { result: copied.result ?? output.result, fault: copied.fault ?? output.fault };
}

function mostBytes({ limits }: JobDescription): number {
  return bytesOf(limits.disk) + LOGS_BYTES;
}

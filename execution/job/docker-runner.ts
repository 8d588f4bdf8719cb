import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { messageOf } from "../../errors.ts";
import { silent, type Progress } from "../../progress.ts";
import { engineEnvironment, type Engine } from "../../toolchain/docker-engine.ts";
import type { ContainerFacts } from "../container-facts.ts";
import { Container } from "../container-run.ts";
import { identifyImage, type IdentifiedImage } from "../image-identity.ts";
import { engineSocket, localSocket } from "../local-engine.ts";
import type { ContainerEngine } from "../offline-container.ts";
import { Redactor } from "../redactor.ts";
import { mostBytes } from "./cluster-result.ts";
import { runCopied, runMounted, type ContainedJob } from "./contained-job.ts";
import { takeOutput } from "./copied-output.ts";
import type { JobDescription } from "./description.ts";
import { dockerPlan } from "./docker-plan.ts";
import { finalResult } from "./final-result.ts";
import { Gate } from "./gate.ts";
import { JobHistory } from "./history.ts";
import { INPUT_FOLDER, readInput, writeInputFolder, type JobInput } from "./input-folder.ts";
import { JobDeadline } from "./job-deadline.ts";
import { JobOutput } from "./job-output.ts";
import type { JobRun, JobRunOptions } from "./job-options.ts";
import { IsolatedNetworks, namedNetwork, type LeasedNetwork, type NetworkWait } from "./network.ts";
import { ownerMark, settleOrphans } from "./orphans.ts";
import { pinInput } from "./pinned-description.ts";
import { Removals } from "./removals.ts";
import { secretDocument, secretTexts, type JobSecretDocument } from "./secret-document.ts";
import { SharedAnswer } from "./shared-answer.ts";
import { stopSeconds } from "./timeouts.ts";

/** Starting more containers than this at once makes each of them, and all together, slower. */
const STARTING_AT_ONCE = Math.max(12, 4 * availableParallelism());

/** Runs jobs in containers of one Docker engine. Several may be at it at once: they share its networks and its gate. */
export class DockerRunner {
  readonly #engine: ContainerEngine;
  /** Whether the engine may see this machine's disk: its socket is a file here, and no mount was refused yet. */
  #mounts: boolean;
  readonly #networks: IsolatedNetworks;
  readonly #gate = new Gate(STARTING_AT_ONCE);
  readonly #owner = ownerMark();
  readonly #removals: Removals;
  readonly #asked = new Map<string, SharedAnswer<IdentifiedImage>>();
  #settled: Promise<unknown> | undefined;

  private constructor(engine: ContainerEngine, isLocal: boolean) {
    this.#engine = engine;
    this.#removals = new Removals(engine);
    this.#mounts = isLocal;
    this.#networks = new IsolatedNetworks(engine, { owner: this.#owner, guards: isLocal });
  }

  /** A runner for an engine, which may be the one that the client uses by itself: where that is, it is asked once. */
  static async connect(engine: Engine, options: { readonly env?: NodeJS.ProcessEnv } = {}): Promise<DockerRunner> {
    const env = engineEnvironment(engine, options.env ?? process.env);
    const socket = await localSocket(engine, env);
    return new DockerRunner({ docker: engine.docker, env, socket: engineSocket(socket, env) }, socket !== undefined);
  }

  /**
   * Runs a job to its end and returns its result, also where the script failed, was cancelled or took too long. Throws a
   * KilnError for what kept it from being run at all.
   */
  async run(options: JobRunOptions): Promise<JobRun> {
    const document = secretDocument(options.description, options.secrets ?? {});
    const input = await readInput(options.description);
    const deadline = new JobDeadline(options.description.timeouts, options.signal);
    const over = new AbortController();
    // Made while the engine says what the image is.
    const leasing = this.#network(options.description, {
      progress: options.progress ?? silent,
      until: AbortSignal.any([deadline.signal, over.signal]),
    });
    leasing.catch(() => undefined);
    try {
      return await this.#runIn(leasing, { ...options, document, input, deadline });
    } finally {
      over.abort();
      await leasing.then((network) => network.giveBack()).catch(() => undefined);
    }
  }

  async #runIn(leasing: Promise<LeasedNetwork>, options: CheckedOptions): Promise<JobRun> {
    const { document, input, deadline, secrets = {}, progress = silent } = options;
    const [image] = await Promise.all([
      this.#identified(options.description, { progress, signal: deadline.signal }),
      (this.#settled ??= this.#settle(progress)),
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
      const { result, fault } = await takeOutput(output, container, history.folder, mostBytes(description));
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
      await output.close().catch(() => false);
      await this.#discard(container, progress);
      await rm(path.join(history.folder, INPUT_FOLDER), { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Jobs that start at the same moment ask once: what an image is does not differ between them. */
  async #identified(
    { image, image_digest: digest }: JobDescription,
    { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
  ): Promise<IdentifiedImage> {
    const key = `${image} ${digest ?? ""}`;
    const expected = digest?.split("@").at(-1);
    const asked =
      this.#asked.get(key) ??
      new SharedAnswer(`the image ${image}`, (until) =>
        identifyImage(this.#engine, image, { expected, progress, signal: until }),
      );
    this.#asked.set(key, asked);
    try {
      return await asked.before(signal);
    } finally {
      if (!asked.isWaitedFor && this.#asked.get(key) === asked) this.#asked.delete(key);
    }
  }

  /** Once a runner; where it fails, the next job tries it again. */
  async #settle(progress: Progress): Promise<void> {
    try {
      await settleOrphans(this.#engine, progress);
    } catch (error) {
      this.#settled = undefined;
      throw error;
    }
  }

  async #network({ network }: JobDescription, waiting: NetworkWait): Promise<LeasedNetwork> {
    return network === "isolated" ? this.#networks.lease(waiting) : namedNetwork(network);
  }

  #placing(work: Pick<Work, "imageId" | "network" | "history">, inputFolder: string | undefined) {
    const { imageId, network, history } = work;
    return { imageId, network: network.name, inputFolder, owner: this.#owner, historyFolder: history.folder };
  }

  /** From the making of the container to its end. */
  async #contained(work: Work, secrets: string): Promise<ContainerFacts> {
    const { description, input, container, output, deadline } = work;
    const folder = this.#mounts ? await writeInputFolder(input, work.history.folder) : undefined;
    const leave = await this.#gate.enter();
    const job: ContainedJob = {
      ...{ description, input, container, output, stop: deadline.signal },
      plan: (inputFolder) => dockerPlan(description, this.#placing(work, inputFolder)),
      secrets: Buffer.from(secrets),
      onStarted: leave,
    };
    try {
      const facts = folder === undefined ? undefined : await runMounted(job, folder);
      if (facts !== undefined) return facts;
      this.#mounts = false;
      return await runCopied(job);
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
  readonly deadline: JobDeadline;
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

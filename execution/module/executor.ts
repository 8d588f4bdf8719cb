import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { silent } from "../../progress.ts";
import { engineEnvironment } from "../../toolchain/docker-engine.ts";
import { Container, type ContainerIdentity } from "../container-run.ts";
import { engineId } from "../engine-id.ts";
import { identifyImage, type IdentifiedImage } from "../image-identity.ts";
import type { Clock } from "../patience.ts";
import { sandboxOf, type Sandbox } from "../sandbox.ts";
import { callerStateFault } from "./caller-state.ts";
import { containerPlan, stopSeconds } from "./container-plan.ts";
import { readCredentials, type Credentials } from "./credentials.ts";
import { MODULE_LABELS } from "./dockerfile.ts";
import { EventReader } from "./event-reader.ts";
import type { ExecuteOptions, ExecutionResult } from "./execute-options.ts";
import { runModule } from "./module-container.ts";
import { bringsState, carriesState, mayHaveState, reportsOnly, stackOf } from "./request-rules.ts";
import { planRequest, type RequestPlan } from "./request-plan.ts";
import { checkRequest, type ModuleRequest } from "./request.ts";
import type { ModuleResponse } from "./response.ts";
import { RunDeadline } from "./run-deadline.ts";
import { finalResponse } from "./run-end.ts";
import { RunHold } from "./run-hold.ts";
import { runKey } from "./run-key.ts";
import { safeResponse } from "./safe-response.ts";
import { isEnvelope } from "./state-envelope.ts";
import { StackState, type TakenState } from "./stack-state.ts";
import { hasPassphrase } from "./state-key.ts";
import type { StateFault } from "./state-fault.ts";
import { placedRequest, refuseMisplaced, toolOf, type StatePlaces } from "./state-place.ts";

const DEFAULT_TIMEOUT_MS = 3_600_000;
const NO_DIGEST =
  "there will be no plan digest: this run has no key that an apply could have. Set KILN_STATE_PASSPHRASE, or give a state directory (--state DIR)";

/** Runs requests in containers. Holds no state of a run: several may be at it at once. */
export class Executor {
  readonly #env: NodeJS.ProcessEnv;
  readonly #clock: Clock | undefined;

  /** `env` is where credentials, KILN_STATE_PASSPHRASE and the docker client's settings are read. */
  constructor(options: { readonly env?: NodeJS.ProcessEnv; readonly clock?: Clock | undefined } = {}) {
    this.#env = options.env ?? process.env;
    this.#clock = options.clock;
  }

  /** Throws the usage error that `execute` would, as far as no engine is needed for it: before an image is built or pulled. */
  async check(options: Checked): Promise<void> {
    await this.#checked(options);
  }

  /**
   * Runs a request in a container of a module's image and returns its response, also where the module failed or the run
   * was cancelled. Throws a KilnError for what kept it from being run at all.
   */
  async execute(options: ExecuteOptions): Promise<ExecutionResult> {
    const { engine, progress = silent, limits = {}, secrets = {} } = options;
    const env = this.#env;
    const { request: asked, credentials, places } = await this.#checked(options);
    const sandbox = sandboxOf(limits, options.network);
    const stack = options.state && new StackState(options.state.directory, stackOf(asked));
    const key = await runKey(asked, secrets.stateKey ?? (await stack?.key(env)), env);
    if (!key.lasts && asked.action === "preview") progress.note(NO_DIGEST);
    const deadline = new RunDeadline(limits.timeoutMs ?? DEFAULT_TIMEOUT_MS, asked.deadline, options.signal);
    const docker = { docker: engine.docker, env: engineEnvironment(engine, env) };
    const identity = { expected: options.digest, progress, signal: deadline.signal };
    const [image, id] = await Promise.all([
      identifyImage(docker, options.image, identity),
      stack === undefined ? "" : engineId(docker),
    ]);
    const { request, backendUrl } = placedRequest(asked, places, toolOf(image.labels[MODULE_LABELS.tool]));

    const runId = request.run_id ?? randomUUID();
    const graceSeconds = stopSeconds(limits);
    const container = new Container(docker, identityOf(runId), { graceSeconds, clock: this.#clock });
    const lock = await stack?.lock({ runId, container, engine, id, graceSeconds, progress, key: key.bytes });
    const hasState = mayHaveState(request, stack !== undefined || places.carries);
    const hold = new RunHold({ container, lock, hasState, progress });
    try {
      const sent = request.state_mode === "remote" ? undefined : await stack?.read();
      const plan = planRequest({ request, secrets, credentials, runId, key, state: sent, deadline: deadline.at });
      progress.step(`${request.action}: ${image.reference}`);
      const ended = await runPlanned({ plan, options, container, image, sandbox, deadline, stack, hold });
      // The state before all else: what goes wrong after it must not lose it.
      const brings = bringsState(sent === undefined ? request : { ...request, state: sent }, backendUrl);
      const taking = { sent, key: key.bytes, keeps: !reportsOnly(request), brings };
      const taken: TakenState = (await stack?.take(ended.response, taking)) ?? {
        response: ended.response,
        changed: false,
        fault: await callerStateFault(ended.response, {
          ...{ request, key, brings, carries: places.carries, name: container.name, env },
        }),
      };
      hold.settle(ended.fault ?? taken.fault?.message);
      const told = withStateFault(taken.response, taken.fault);
      const { response, outputs } = safeResponse(told, plan.redactor, key.bytes);
      const recorded = await stack?.history(runId).end(response, progress);
      // What is refused would be refused for ever: in the history, or with the caller, it is not lost.
      if (recorded !== false && taken.fault?.refused === true) hold.settle();
      return {
        response,
        outputs,
        exitCode: ended.facts.exitCode,
        runId,
        image,
        container: { ...ended.facts, name: container.name, kept: hold.keeps },
        sandbox,
        carried: places.carries && !reportsOnly(request) && isEnvelope(response.state),
        ...(stack === undefined ? {} : { state: await stack.describe(taken.changed) }),
      };
    } finally {
      await hold.end();
    }
  }

  async #checked({ secrets = {}, credentials: names = [], state, ...options }: Checked): Promise<CheckedRun> {
    const request = checkRequest(options.request);
    const credentials = await readCredentials(names, this.#env, request.environment);
    const keys = { hasKey: secrets.stateKey !== undefined, hasPassphrase: hasPassphrase(this.#env) };
    const places = {
      backendUrl: backendUrlOf(secrets.environment, request.environment, credentials.plain),
      directory: state?.directory,
      carries: state === undefined && carriesState(request, keys),
    };
    refuseMisplaced(request, places);
    return { request, credentials, places };
  }
}

type Checked = Pick<ExecuteOptions, "request" | "secrets" | "credentials" | "state">;

interface CheckedRun {
  readonly request: ModuleRequest;
  readonly credentials: Credentials;
  readonly places: StatePlaces;
}

interface PlannedRun {
  readonly plan: RequestPlan;
  readonly options: ExecuteOptions;
  readonly container: Container;
  readonly image: IdentifiedImage;
  readonly sandbox: Sandbox;
  readonly deadline: RunDeadline;
  readonly stack: StackState | undefined;
  readonly hold: RunHold;
}

/** A caller may give two runs the same id: the rest of the name is this run's alone. */
function identityOf(runId: string): ContainerIdentity {
  const instance = randomUUID();
  return { name: `kiln-module-${runId}-${instance.slice(0, 8)}`, instance };
}

function backendUrlOf(...environments: readonly (Readonly<Record<string, string>> | undefined)[]): string {
  return environments.map((variables) => variables?.PULUMI_BACKEND_URL).find((url) => url !== undefined) ?? "";
}

/** The container's part: events as they come, and the response completed by how it ended. */
async function runPlanned({ plan, options, container, image, sandbox, deadline, stack, hold }: PlannedRun) {
  const { request, secrets, redactor } = plan;
  const { run_id: runId = "", stack_name: name, action } = request;
  const history = stack?.history(runId);
  const entrypoint = options.entrypoint === undefined ? undefined : await readFile(options.entrypoint);
  await history?.begin(request, redactor);
  const events = new EventReader(redactor, (event) => {
    history?.event(event);
    options.onEvent?.(event);
  });
  const { facts, response, fault } = await runModule(container, {
    plan: containerPlan(image, sandbox, {
      runId,
      stack: name,
      limits: options.limits ?? {},
      injects: entrypoint !== undefined,
    }),
    request: JSON.stringify(request),
    secrets: JSON.stringify(secrets),
    entrypoint,
    onStage: (stage) => {
      hold.reach(stage);
    },
    onStdoutLine: (line) => {
      events.line(line);
    },
    onStderrLine: (line) => {
      events.errorLine(line);
    },
    stop: deadline.signal,
  }).finally(() => history?.closeEvents());
  const end = { action, facts, cause: deadline.cause, memory: sandbox.memory, fault };
  return { facts, response: finalResponse(response, end), fault };
}

/** State that cannot be kept is a failed run: its caller must not take the resources for recorded. */
function withStateFault(response: ModuleResponse, fault: StateFault | undefined): ModuleResponse {
  if (fault === undefined) return response;
  const { code, message } = fault;
  const detail = { code, phase: response.phase, message, retryable: false };
  return { ...response, success: false, error: message, error_detail: detail };
}

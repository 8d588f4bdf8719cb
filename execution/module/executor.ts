import { randomBytes, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { messageOf } from "../../errors.ts";
import { silent } from "../../progress.ts";
import { engineEnvironment } from "../../toolchain/docker-engine.ts";
import { Container } from "../container-run.ts";
import { identifyImage, type IdentifiedImage } from "../image-identity.ts";
import { sandboxOf, type Sandbox } from "../sandbox.ts";
import { containerPlan, stopSeconds } from "./container-plan.ts";
import { readCredentials } from "./credentials.ts";
import { EventReader } from "./event-reader.ts";
import type { ExecuteOptions, ExecutionResult } from "./execute-options.ts";
import { runModule } from "./module-container.ts";
import { refuseLostState, reportsOnly, stackOf } from "./request-rules.ts";
import { planRequest, type RequestPlan } from "./request-plan.ts";
import { checkRequest, type ModuleRequest } from "./request.ts";
import type { ModuleResponse } from "./response.ts";
import { RunDeadline } from "./run-deadline.ts";
import { finalResponse } from "./run-end.ts";
import { safeResponse } from "./safe-response.ts";
import { StackState } from "./stack-state.ts";
import type { StateEnvelope } from "./state-envelope.ts";

const DEFAULT_TIMEOUT_MS = 3_600_000;

/** Runs requests in containers. Holds no state of a run: several may be at it at once. */
export class Executor {
  readonly #env: NodeJS.ProcessEnv;

  /** `env` is where credentials, KILN_STATE_PASSPHRASE and the docker client's settings are read. */
  constructor(options: { readonly env?: NodeJS.ProcessEnv } = {}) {
    this.#env = options.env ?? process.env;
  }

  /**
   * Runs a request in a container of a module's image and returns its response, also where the module failed or the run
   * was cancelled. Throws a KilnError for what kept it from being run at all.
   */
  async execute(options: ExecuteOptions): Promise<ExecutionResult> {
    const { engine, progress = silent, limits = {}, secrets = {} } = options;
    const env = this.#env;
    const request = checkRequest(options.request);
    const sandbox = sandboxOf(limits, options.network);
    const credentials = await readCredentials(options.credentials ?? [], env, request.environment);
    const stack = options.state && new StackState(options.state.directory, stackOf(request));
    if (stack === undefined && secrets.stateKey === undefined) refuseLostState(request, credentials.plain);
    const key = secrets.stateKey ?? (await stack?.key(env)) ?? randomBytes(32);
    const deadline = new RunDeadline(limits.timeoutMs ?? DEFAULT_TIMEOUT_MS, request.deadline, options.signal);
    const docker = { docker: engine.docker, env: engineEnvironment(engine, env) };
    const identity = { expected: options.digest, progress, signal: deadline.signal };
    const image = await identifyImage(docker, options.image, identity);

    const runId = request.run_id ?? randomUUID();
    const graceSeconds = stopSeconds(limits);
    const container = new Container(docker, `kiln-module-${runId}`, graceSeconds);
    const lock = await stack?.lock({ runId, container: container.name, engine, graceSeconds, progress });
    try {
      const state = request.state_mode === "remote" ? undefined : await stack?.read();
      const plan = planRequest({ request, secrets, credentials, runId, key, state, deadline: deadline.at });
      progress.step(`${request.action}: ${image.reference}`);
      const ended = await runPlanned({ plan, options, container, image, sandbox, deadline, stack });
      const safe = safeResponse(ended.response, plan.redactor, key);
      const { response, changed } = await keepState(stack, safe.response, state, request);
      await stack?.history(runId).end(response);
      return {
        response,
        outputs: safe.outputs,
        exitCode: ended.facts.exitCode,
        runId,
        image,
        container: { ...ended.facts, name: container.name },
        sandbox,
        ...(stack === undefined ? {} : { state: await stack.describe(changed) }),
      };
    } finally {
      await lock?.release();
    }
  }
}

interface PlannedRun {
  readonly plan: RequestPlan;
  readonly options: ExecuteOptions;
  readonly container: Container;
  readonly image: IdentifiedImage;
  readonly sandbox: Sandbox;
  readonly deadline: RunDeadline;
  readonly stack: StackState | undefined;
}

/** The container's part: events as they come, and the response completed by how it ended. */
async function runPlanned({ plan, options, container, image, sandbox, deadline, stack }: PlannedRun) {
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
    onStdoutLine: (line) => {
      events.line(line);
    },
    onStderrLine: (line) => {
      events.errorLine(line);
    },
    stop: deadline.signal,
    progress: options.progress ?? silent,
  }).finally(() => history?.closeEvents());
  const end = { action, facts, cause: deadline.cause, memory: sandbox.memory, fault };
  return { facts, response: finalResponse(response, end) };
}

/** State that cannot be kept is a failed run: its caller must not take the resources for recorded. */
async function keepState(
  stack: StackState | undefined,
  response: ModuleResponse,
  sent: StateEnvelope | undefined,
  request: ModuleRequest,
): Promise<{ readonly response: ModuleResponse; readonly changed: boolean }> {
  if (stack === undefined || reportsOnly(request)) return { response, changed: false };
  try {
    return { response, changed: await stack.keep(response, sent) };
  } catch (error) {
    const message = messageOf(error);
    const detail = { code: "state_mismatch", phase: response.phase, message, retryable: false } as const;
    return { response: { ...response, success: false, error: message, error_detail: detail }, changed: false };
  }
}

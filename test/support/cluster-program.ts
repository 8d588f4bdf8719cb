import { expect } from "vitest";
import { KUBERNETES_PROVIDER_DIRECTORY } from "../../toolchain/plugins/directories.ts";
import type { BackgroundLoop } from "./background-loop.ts";
import { startControlPlane, type ControlPlane } from "./control-plane.ts";
import { LoopbackProgram } from "./loopback-program.ts";
import { startNodeStandIn } from "./node-stand-in.ts";
import { objectProgram, type ProgramObject } from "./object-program.ts";

const STACK = ["--stack", "test-kubernetes"];

/** A program of Kubernetes objects on the real Pulumi CLI, and a real API server of its own that it changes. */
export class ClusterProgram {
  readonly plane: ControlPlane;
  readonly #node: BackgroundLoop;
  readonly #program: LoopbackProgram;

  private constructor(plane: ControlPlane, node: BackgroundLoop, program: LoopbackProgram) {
    this.plane = plane;
    this.#node = node;
    this.#program = program;
  }

  static async start(): Promise<ClusterProgram> {
    const plane = await startControlPlane();
    const program = await LoopbackProgram.create([KUBERNETES_PROVIDER_DIRECTORY]);
    await program.pulumi("stack", "init", "test-kubernetes");
    return new ClusterProgram(plane, startNodeStandIn(plane), program);
  }

  /** Sets the objects, and what else the provider is given. */
  write(objects: readonly ProgramObject[], provider: Readonly<Record<string, unknown>> = {}): Promise<void> {
    return this.#program.write(objectProgram(objects, { kubeconfig: this.plane.kubeconfig, ...provider }));
  }

  /** Runs `pulumi` on the test's stack, or on another one that the arguments name. */
  pulumi(...args: readonly string[]) {
    return this.#program.pulumi(...args, ...(args.includes("--stack") ? [] : STACK));
  }

  /** What a run prints that must succeed. */
  async succeeds(...args: readonly string[]): Promise<string> {
    const { code, stdout } = await this.pulumi(...args);
    expect(code, stdout).toBe(0);
    return stdout;
  }

  /** What Pulumi says, resource by resource, of a run that must fail. */
  async fails(...args: readonly string[]): Promise<string> {
    const { code, stdout } = await this.pulumi(...args);
    expect(code, stdout).not.toBe(0);
    return stdout.split("\nDiagnostics:\n")[1] ?? stdout;
  }

  up(): Promise<string> {
    return this.succeeds("up", "--yes", "--skip-preview");
  }

  destroy(): Promise<string> {
    return this.succeeds("destroy", "--yes", "--skip-preview");
  }

  /** What a preview would do, as `operation name`, sorted, without what stays the same; a replacement is one of them. */
  async planned(): Promise<string[]> {
    const { stdout } = await this.pulumi("preview", "--json");
    const { steps } = JSON.parse(stdout) as { steps: readonly { readonly op: string; readonly urn: string }[] };
    const changes = steps.filter(({ op }) => !["same", "create-replacement", "delete-replaced"].includes(op));
    return changes.map(({ op, urn }) => `${op} ${urn.split("::").at(-1) ?? ""}`).sort();
  }

  /** Every file of the backend, in one text. */
  stored(): Promise<string> {
    return this.#program.stored();
  }

  /** The status code that the API server answers to a GET. */
  async statusOf(path: string): Promise<number> {
    return (await this.plane.request("GET", path)).status;
  }

  async stop(): Promise<void> {
    await this.#node.stop();
    await this.plane.stop();
    await this.#program.remove();
  }
}

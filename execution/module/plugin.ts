import { KilnError } from "../../errors.ts";
import type { ExecuteOptions, ExecutionResult } from "./execute-options.ts";
import { Executor } from "./executor.ts";
import type { ImportMapping, ModuleAction, ModuleRequest } from "./request.ts";

/** A run without its action, which the method says. */
export interface PluginRun extends Omit<ExecuteOptions, "request"> {
  readonly request: Omit<ModuleRequest, "action">;
}

/** What runs IaC modules, whatever it runs them with. */
export interface IacPlugin {
  readonly name: string;
  preview(run: PluginRun): Promise<ExecutionResult>;
  apply(run: PluginRun): Promise<ExecutionResult>;
  destroy(run: PluginRun): Promise<ExecutionResult>;
  /** Reports drift; changes state only where `request.refresh.update` says so. */
  refresh(run: PluginRun): Promise<ExecutionResult>;
  importResources(run: PluginRun, mappings: readonly ImportMapping[]): Promise<ExecutionResult>;
}

/** Plugins by name. */
export class PluginRegistry {
  readonly #plugins = new Map<string, IacPlugin>();

  /** Refuses a name that is taken: the second one would silently run what the first was meant to. */
  register(plugin: IacPlugin): this {
    if (this.#plugins.has(plugin.name)) {
      throw new KilnError("usage", `there is an IaC plugin called ${plugin.name} already`, {
        mend: "Register it under another name.",
      });
    }
    this.#plugins.set(plugin.name, plugin);
    return this;
  }

  /** The plugin of a name. Throws a usage error that lists the names there are. */
  lookup(name: string): IacPlugin {
    const plugin = this.#plugins.get(name);
    if (plugin !== undefined) return plugin;
    throw new KilnError("usage", `there is no IaC plugin called "${name}"`, {
      mend: `Name one of: ${this.names().join(", ")}.`,
    });
  }

  /** Sorted. */
  names(): readonly string[] {
    return [...this.#plugins.keys()].sort();
  }
}

/** Runs modules in containers of their images. */
export class ContainerPlugin implements IacPlugin {
  readonly name = "container";
  readonly #executor: Pick<Executor, "execute">;

  constructor(executor: Pick<Executor, "execute"> = new Executor()) {
    this.#executor = executor;
  }

  preview(run: PluginRun): Promise<ExecutionResult> {
    return this.#run("preview", run);
  }

  apply(run: PluginRun): Promise<ExecutionResult> {
    return this.#run("apply", run);
  }

  destroy(run: PluginRun): Promise<ExecutionResult> {
    return this.#run("destroy", run);
  }

  refresh(run: PluginRun): Promise<ExecutionResult> {
    return this.#run("refresh", run);
  }

  importResources(run: PluginRun, mappings: readonly ImportMapping[]): Promise<ExecutionResult> {
    return this.#run("import", { ...run, request: { ...run.request, import: mappings } });
  }

  #run(action: ModuleAction, run: PluginRun): Promise<ExecutionResult> {
    return this.#executor.execute({ ...run, request: { ...run.request, action } });
  }
}

/** The registry of this process, with `container` in it. */
export const plugins: PluginRegistry = new PluginRegistry().register(new ContainerPlugin());

import * as pulumi from "@pulumi/pulumi";
import { vi } from "vitest";

/** What a program asked of the engine for one resource, beside its inputs. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly parent: string;
  /** `type name` of what it depends on, its inputs' resources included. */
  readonly dependsOn: readonly string[];
  readonly deleteBeforeReplace: boolean;
  readonly replaceOnChanges: readonly string[];
  /** Such as `30m`; empty where the provider decides. */
  readonly deleteTimeout: string;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  /** The name of its provider; empty where the engine chooses one. */
  readonly provider: string;
}

/** The parts of the engine's request that are read here. */
interface Request {
  readonly getType: () => string;
  readonly getName: () => string;
  readonly getParent: () => string;
  readonly getDependenciesList: () => readonly string[];
  readonly getDeletebeforereplace: () => boolean;
  readonly getReplaceonchangesList: () => readonly string[];
  readonly getCustomtimeouts: () => { readonly getDelete: () => string } | undefined;
  readonly getProtect: () => boolean;
  readonly getRetainondelete: () => boolean;
  readonly getProvider: () => string;
}

/** Fills a list with the options of every resource from now on. Call it behind `recordResources`, whose mocks it listens to. */
export function recordRegistrations(): readonly Registration[] {
  const registrations: Registration[] = [];
  const monitor = pulumi.runtime.getMonitor() as unknown as Record<"registerResource", (...args: unknown[]) => unknown>;
  const register = monitor.registerResource.bind(monitor);
  vi.spyOn(monitor, "registerResource").mockImplementation((...args) => {
    registrations.push(registrationOf(args[0] as Request));
    return register(...args);
  });
  return registrations;
}

function registrationOf(request: Request): Registration {
  return {
    type: request.getType(),
    name: request.getName(),
    parent: resourceOf(request.getParent()),
    dependsOn: request.getDependenciesList().map(resourceOf).toSorted(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    replaceOnChanges: request.getReplaceonchangesList(),
    deleteTimeout: request.getCustomtimeouts()?.getDelete() ?? "",
    protect: request.getProtect(),
    retainOnDelete: request.getRetainondelete(),
    // A URN, and the provider's id behind it.
    provider: request.getProvider().split("::")[3] ?? "",
  };
}

/** `type name` of a URN `urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>`. */
function resourceOf(urn: string): string {
  const [, , types = "", name = ""] = urn.split("::");
  return `${types.split("$").at(-1) ?? ""} ${name}`.trim();
}

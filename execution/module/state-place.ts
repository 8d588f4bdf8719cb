import type { ModuleRequest } from "./request.ts";
import { refuseLocalBackend, refuseLostState, refuseTwoPlaces, stackOf, stateModeOf } from "./request-rules.ts";
import { refuseUnfitStack } from "./stack-name.ts";
import { TOOLS, type ToolName } from "./state-envelope.ts";

/** What a run has to keep its state. */
export interface StatePlaces {
  /** PULUMI_BACKEND_URL of the container; OpenTofu does not know it. */
  readonly backendUrl: string;
  /** The state directory. */
  readonly directory: string | undefined;
  /** Whether the caller carries the state. */
  readonly carries: boolean;
}

/** A request whose state has a place, whatever the container makes of it. */
export interface PlacedRequest {
  readonly request: ModuleRequest;
  /** PULUMI_BACKEND_URL, where the tool reads it. */
  readonly backendUrl: string;
}

/** Refuses what no image could run: its state would be in two places, or in none. Asks no engine. */
export function refuseMisplaced(request: ModuleRequest, places: StatePlaces): void {
  const { directory, backendUrl } = places;
  // Whether PULUMI_BACKEND_URL counts is known with the image.
  refuseLocalBackend(request, "");
  if (directory !== undefined) {
    stackOf(request);
    refuseTwoPlaces(request, directory);
  }
  if (!hasPlace(places)) refuseLostState(request, backendUrl);
  refuseUnfit(request, undefined, backendUrl);
}

/**
 * The request for an image of a tool, refused where that would lose its state: OpenTofu's is not in PULUMI_BACKEND_URL. Of an
 * image that does not say its tool, a state that would otherwise have no place is asked for as remote, so that an entrypoint
 * that finds no backend refuses before it changes anything.
 */
export function placedRequest(request: ModuleRequest, places: StatePlaces, tool: ToolName | undefined): PlacedRequest {
  const backendUrl = tool === "opentofu" ? "" : places.backendUrl;
  refuseLocalBackend(request, backendUrl);
  const unread = backendUrl === places.backendUrl ? "" : ": OpenTofu does not read PULUMI_BACKEND_URL";
  if (!hasPlace(places)) refuseLostState(request, backendUrl, unread);
  refuseUnfit(request, tool, backendUrl);
  const isGuess = tool === undefined && stateModeOf(request, backendUrl) !== stateModeOf(request, "");
  if (!isGuess || hasPlace(places)) return { request, backendUrl };
  return { request: { ...request, state_mode: "remote" }, backendUrl };
}

/** The tool that an image is labelled with; undefined for an image that was not built by kiln. */
export function toolOf(label: string | undefined): ToolName | undefined {
  return TOOLS.find((tool) => tool === label);
}

function hasPlace({ directory, carries }: StatePlaces): boolean {
  return directory !== undefined || carries;
}

function refuseUnfit(request: ModuleRequest, tool: ToolName | undefined, variable: string): void {
  const { stack_name: stack, backend } = request;
  if (stack === undefined) return;
  const backendUrl = backend === undefined ? variable : (backend.config.url ?? `${backend.type}://`);
  refuseUnfitStack(stack, { mode: stateModeOf(request, variable), tool, backendUrl });
}

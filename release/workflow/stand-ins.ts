import { KilnError } from "../../errors.ts";
import { downloadArtifact, uploadArtifact } from "./stand-ins/artifact.ts";
import { cache } from "./stand-ins/cache.ts";
import { checkout } from "./stand-ins/checkout.ts";
import { nothingToDo, type StandIn } from "./stand-in.ts";
import type { ActionStep } from "./step.ts";

/** Actions that have a stand-in here. Versions are GitHub's concern: what is pinned there is not run here. */
const STAND_INS: ReadonlyMap<string, StandIn> = new Map<string, StandIn>([
  ["actions/checkout", checkout],
  ["actions/upload-artifact", uploadArtifact],
  ["actions/download-artifact", downloadArtifact],
  ["actions/cache", cache],
  [
    "actions/setup-node",
    nothingToDo("the Node of this machine is taken", [
      ...["node-version", "node-version-file", "cache", "cache-dependency-path", "check-latest", "registry-url"],
      "package-manager-cache",
    ]),
  ],
  [
    "actions/setup-go",
    nothingToDo("kiln brings its own Go", [
      ...["go-version", "go-version-file", "cache", "cache-dependency-path", "check-latest"],
    ]),
  ],
  [
    "docker/login-action",
    nothingToDo("the registry logins of this machine are taken", ["registry", "username", "password", "logout", "ecr"]),
  ],
  // With a `command` it would do more than install, and is refused.
  ["pulumi/actions", nothingToDo("kiln brings its own Pulumi", ["pulumi-version", "pulumi-version-file"])],
  ["sigstore/cosign-installer", nothingToDo("kiln brings its own cosign", ["cosign-release"])],
]);

/** What stands here for a step's action, in a line. */
export function standInText({ action, title }: ActionStep): string {
  const here = STAND_INS.get(action)?.here ?? "no stand-in here: an error when its turn comes";
  return title === action ? here : `${action}: ${here}`;
}

/** The stand-in for a step's action. Refuses an action that has none, and settings that it would leave out in silence. */
export function standInFor(step: ActionStep): StandIn {
  const standIn = STAND_INS.get(step.action);
  if (standIn === undefined) {
    throw new KilnError("usage", `${step.where}: the action ${step.action} has no stand-in on this machine`, {
      mend: `There are some for ${[...STAND_INS.keys()].join(", ")}. Let a \`run:\` step call what the action would.`,
    });
  }
  const known = [...standIn.takes, ...standIn.ignores];
  const stray = Object.keys(step.with).find((name) => !known.includes(name));
  if (stray === undefined) return standIn;
  throw new KilnError("usage", `${step.where}.with.${stray} is not understood`, {
    mend: `The stand-in for ${step.action} knows ${known.join(", ")}.`,
  });
}

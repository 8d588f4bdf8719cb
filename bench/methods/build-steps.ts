import type { Method, Step, StepContext } from "../step.ts";
import {
  measureAged,
  measureBuild,
  measureBuilds,
  type AgedBuilds,
  type BuildPlace,
  type ProgramBuilds,
} from "./builds.ts";

/** What is measured in containers of a method's image. */
export interface BuildSteps {
  readonly builds: Step<readonly ProgramBuilds[]>;
  readonly aged: Step<AgedBuilds>;
  /** One module, built with the flags of this kiln's Pulumi whatever the method's own are; seconds. */
  readonly pinned: Step<number>;
}

/** The steps for the image that `after` leaves; `place` says where it is and how programs are built in it. */
export function buildSteps(
  method: Exclude<Method, "common">,
  after: Step<unknown>,
  place: (context: StepContext) => BuildPlace,
): BuildSteps {
  const step = <T>(id: string, title: string, work: (context: StepContext) => Promise<T>): Step<T> => ({
    id: `${method}/${id}`,
    title: `${method}: ${title}`,
    method,
    after: [after],
    run: work,
  });
  return {
    builds: step("builds", "unmodified and edited modules in fresh containers", (context) =>
      measureBuilds(context, place(context)),
    ),
    aged: step("aged", "two modules in the image of day 400", (context) => measureAged(context, place(context))),
    pinned: step("pinned", "an unmodified module with the flags of this kiln's Pulumi", (context) =>
      measureBuild(
        context,
        { ...place(context), flags: context.contract.flags },
        context.selection.sample[0]?.directory ?? "",
      ),
    ),
  };
}

import type { ContainerEngine } from "../execution/offline-container.ts";
import type { Progress } from "../progress.ts";
import type { BuildContract } from "./contract.ts";
import type { ProgramDelivery } from "./program-delivery.ts";
import type { Program } from "./programs.ts";
import { verificationOf, type Verification } from "./verification.ts";
import { verifyBinaries } from "./verify-binaries.ts";
import { verifyImage } from "./verify.ts";

/** An image, and what it is to be checked for. */
export interface Delivered {
  readonly image: string;
  readonly delivery: ProgramDelivery;
  readonly contract: BuildContract;
  readonly source: string;
  readonly programs: readonly Program[];
}

/** Checks inside an image, offline, that it has its programs as it says: that they build from its caches, that binaries start. */
export async function verifyDelivery(
  engine: ContainerEngine,
  { image, delivery, contract, source, programs }: Delivered,
  progress: Progress,
): Promise<Verification> {
  const started = () => verifyBinaries(engine, image, `${contract.goos}/${contract.goarch}`, programs);
  if (delivery === "binaries") return started();
  const built = await verifyImage(engine, image, contract, source, programs, progress);
  return delivery === "cache" ? built : united(built, await started());
}

/** Both checks of each program as one. */
function united(built: Verification, started: Verification): Verification {
  const starts = new Map(started.programs.map((check) => [check.directory, check]));
  return verificationOf(
    built.programs.map((check) => {
      const { startSeconds, error } = starts.get(check.directory) ?? {};
      const faults = [check.error, error].filter((fault) => fault !== undefined);
      return {
        ...check,
        ...(startSeconds === undefined ? {} : { startSeconds }),
        ...(faults.length === 0 ? {} : { error: faults.join("\n") }),
      };
    }),
  );
}

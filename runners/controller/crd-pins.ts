import { ARC_VERSION } from "./arc.ts";

/** Where CRDs are downloaded from, and which bytes are taken: the SHA-256 of each file below `url`. */
export interface CrdPins {
  /** The address of the folder, without a slash at the end. */
  readonly url: string;
  readonly sha256: Readonly<Record<CrdFile, string>>;
}

/** The four kinds of actions-runner-controller, by their plural: `<plural>.actions.github.com` is a CRD's name. */
export const CRD_KINDS = {
  autoscalinglisteners: "AutoscalingListener",
  autoscalingrunnersets: "AutoscalingRunnerSet",
  ephemeralrunners: "EphemeralRunner",
  ephemeralrunnersets: "EphemeralRunnerSet",
} as const;

export type CrdPlural = keyof typeof CRD_KINDS;
export type CrdFile = `actions.github.com_${CrdPlural}.yaml`;

export const CRD_GROUP = "actions.github.com";

/** The name of a CRD's file, as the official chart has it in `crds/`. */
export function crdFile(plural: CrdPlural): CrdFile {
  return `actions.github.com_${plural}.yaml`;
}

/** The CRDs of `ARC_VERSION`: raise both together, and take the checksums from a checkout of that tag. */
export const OFFICIAL_CRDS: CrdPins = {
  url: `https://raw.githubusercontent.com/actions/actions-runner-controller/gha-runner-scale-set-${ARC_VERSION}/charts/gha-runner-scale-set-controller/crds`,
  sha256: {
    "actions.github.com_autoscalinglisteners.yaml": "46a122d05090d06b791ccd027cda73e0f0a639b8d8fd733b1a15efcf6000063b",
    "actions.github.com_autoscalingrunnersets.yaml": "8c6299f835fdb774789a02ce2eb296e1c83d0cc7ad7260a988523c6055a56d9c",
    "actions.github.com_ephemeralrunners.yaml": "b4991b4aeb29bc21f872eb94fe1aa5fcaa9208681fc58ab32947dd27d1e7f00a",
    "actions.github.com_ephemeralrunnersets.yaml": "3943d931cbe5b9615d5d9948285ee60d13fcd2cf31737fb30ca433d7b822fada",
  },
};

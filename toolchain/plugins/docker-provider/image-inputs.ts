import path from "node:path";
import { isDeepStrictEqual } from "node:util";

/** What a program says about an image: names and meaning are those of the official docker provider 5.x. */
export interface ImageInputs {
  readonly imageName: string;
  readonly build?: BuildInputs;
  readonly buildOnPreview?: boolean;
  readonly registry?: { readonly server?: string; readonly username?: unknown; readonly password?: unknown };
  readonly skipPush?: boolean;
}

export interface BuildInputs {
  readonly context?: string;
  readonly dockerfile?: string;
  readonly platform?: string;
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly cacheFrom?: { readonly images?: readonly string[] };
  readonly addHosts?: readonly string[];
  readonly network?: string;
  readonly builderVersion?: string;
  /** Worked out by the provider, never given. */
  readonly contextDigest?: string;
}

/** Inputs after `check`: what decides over a build is filled in. */
export interface CheckedInputs extends ImageInputs {
  readonly build: BuildInputs & { readonly context: string; readonly dockerfile: string; readonly platform: string };
  readonly buildOnPreview: boolean;
  readonly skipPush: boolean;
}

/** What the state keeps of an image: its inputs, to compare with the next ones, and the official outputs. */
export interface ImageState extends CheckedInputs {
  readonly baseImageName: string;
  readonly context: string;
  readonly dockerfile: string;
  readonly platform: string;
  readonly registryServer: string;
  readonly repoDigest: string;
}

/** What the engine puts in the place of a value that a preview cannot know. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isUnknown(value: unknown): boolean {
  return value === UNKNOWN;
}

/** The inputs with every default of the official provider. */
export function withDefaults(inputs: ImageInputs, architecture: string = process.arch): CheckedInputs {
  const context = inputs.build?.context ?? ".";
  return {
    ...inputs,
    build: {
      ...inputs.build,
      context,
      dockerfile: inputs.build?.dockerfile ?? path.posix.join(context, "Dockerfile"),
      platform: inputs.build?.platform ?? `linux/${architecture === "x64" ? "amd64" : architecture}`,
    },
    buildOnPreview: inputs.buildOnPreview ?? false,
    skipPush: inputs.skipPush ?? false,
  };
}

/** Whether the image has to be built again: its content, its build or its name changed. Credentials do not count. */
export function needsBuild(state: Partial<ImageState>, inputs: CheckedInputs): boolean {
  return state.repoDigest === undefined || !isDeepStrictEqual(deciding(state), deciding(inputs));
}

function deciding(inputs: Partial<CheckedInputs>): unknown {
  return [inputs.imageName, inputs.build, inputs.skipPush ?? false, inputs.registry?.server ?? ""];
}

/** How one program built with nothing but the cache. */
export interface ProgramCheck {
  readonly directory: string;
  /** Import paths that were compiled although they should have been found. Empty is a pass. */
  readonly compiled: readonly string[];
  /** Wall time of the build to a fresh path. */
  readonly firstSeconds: number;
  /** Wall time of the same build to another fresh path; only of the first program of each provider. */
  readonly secondSeconds?: number;
  /** Wall time of its binary to the begin of its main, where an image has one. */
  readonly startSeconds?: number;
  /** What served the first build, where its caches are packed. */
  readonly served?: ServedBuild;
  /** What Go said where the build failed outright. */
  readonly error?: string;
}

/** What gocache says of one build (KILN_GOCACHE_STATS): a second witness beside Go's own text. */
export interface ServedBuild {
  readonly hits: number;
  readonly misses: number;
  /** Packages that Go compiled and had it keep. */
  readonly compiled: number;
  /** Bytes that it wrote for Go to read. */
  readonly scratchBytes: number;
}

export interface Verification {
  readonly programs: readonly ProgramCheck[];
  /** Compile actions in all: 0 is a warm cache. */
  readonly compileActions: number;
  readonly passed: boolean;
}

/** A verification of checked programs. */
export function verificationOf(programs: readonly ProgramCheck[]): Verification {
  const compileActions = programs.reduce((count, { compiled }) => count + compiled.length, 0);
  return {
    programs,
    compileActions,
    passed: compileActions === 0 && programs.every(({ error }) => error === undefined),
  };
}

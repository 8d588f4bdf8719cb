import type { Package } from "../graph.ts";
import type { MeasuredTimings } from "../timings.ts";

/** What compiling one package takes. */
export interface CompileCost {
  /** CPU seconds of the compiler. */
  readonly seconds: number;
  /** Bytes of the archive that it makes. */
  readonly bytes: number;
  /** Whether the seconds were measured, or estimated by source. */
  readonly measured: boolean;
}

/**
 * Of Go 1.26.8 on linux/amd64, 755 packages of aws, auth0, civo and kubernetes programs (54 MB of source, 1.5 GB of archives,
 * 206 CPU seconds): packages that import the Pulumi SDK instantiate its generic outputs, so their archive has a large part
 * that their own source does not explain, and time follows the archive.
 */
const PLAIN = { seconds: 0.04, secondsABytes: 1 / 570_000, bytes: 20_000, bytesABytes: 10 };
const PULUMI_PROGRAM = { seconds: 0.3, secondsABytes: 1 / 167_000, bytes: 3_500_000, bytesABytes: 41 };
const PULUMI_SDK = { seconds: 2.5, secondsABytes: 1 / 167_000, bytes: 28_000_000, bytesABytes: 41 };

const PULUMI = "github.com/pulumi/pulumi/sdk/v3/go/pulumi";
/** Source of more than this above the Pulumi SDK is a provider's SDK, not a program's. */
const SDK_SOURCE_BYTES = 50_000;

/**
 * What a package is expected to cost: measured where an earlier run noted it, estimated by source bytes otherwise, which for
 * nine of ten large packages is within a third.
 */
export function compileCost(pkg: Package, timings: MeasuredTimings = {}): CompileCost {
  const { importPath, sourceBytes } = pkg;
  const model = modelOf(pkg);
  const seconds = timings.seconds?.[importPath];
  return {
    seconds: seconds ?? model.seconds + sourceBytes * model.secondsABytes,
    bytes: timings.bytes?.[importPath] ?? Math.round(model.bytes + sourceBytes * model.bytesABytes),
    measured: seconds !== undefined,
  };
}

function modelOf({ importPath, imports, sourceBytes }: Package) {
  const abovePulumi = importPath === PULUMI || imports.some((key) => key === PULUMI || key.startsWith(`${PULUMI}@`));
  if (!abovePulumi) return PLAIN;
  return sourceBytes > SDK_SOURCE_BYTES ? PULUMI_SDK : PULUMI_PROGRAM;
}

/**
 * Bytes of memory that compiling a package takes at its peak. Seen with Go's default GOGC: aws/ec2 12 times its archive (3.1 GB
 * of 262 MB), pulumi-cloudflare v6 11 times (11 to 12 GB of 1.04 GB); the compiler itself needs some 60 MB.
 */
export function compileMemory(bytes: number): number {
  return 60_000_000 + 12 * bytes;
}

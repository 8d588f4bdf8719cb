import { packageArguments } from "./graph.ts";
import { listBuild, mountedGo, readInputsByProvider, type BuildPackage } from "./explain/listed-build.ts";
import type { GoMounts } from "./go/command.ts";
import { localDigests } from "./packages-document.ts";
import type { Program } from "./programs.ts";

/** By directory, a digest of what each of the repository's own packages is compiled from now. */
export async function readLocalDigests(
  mounts: GoMounts,
  source: string,
  programs: readonly Program[],
): Promise<Readonly<Record<string, string>>> {
  const site = await mountedGo(mounts, source);
  const listings = new Map<string, readonly BuildPackage[]>();
  for (const [goModule, members] of Map.groupBy(programs, (program) => program.goModule)) {
    const { packages } = await listBuild(site, mounts.contract.flags, goModule, packageArguments(members));
    listings.set(goModule, packages);
  }
  return localDigests(Object.values(await readInputsByProvider(site.root, source, listings, programs)));
}

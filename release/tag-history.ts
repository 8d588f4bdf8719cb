import { readDigest, type RegistryClient } from "../registry/client.ts";
import { readRunnerRecords, type RunnerRecord } from "./runner-record.ts";

/** The records of what a tag named, the newest first: from each image to the one that it replaced. */
export async function readTagHistory(
  client: RegistryClient,
  { repository, imageTag }: { readonly repository: string; readonly imageTag: string },
): Promise<readonly RunnerRecord[]> {
  const records: RunnerRecord[] = [];
  const seen = new Set<string>();
  let digest = await readDigest(client, { repository, tag: imageTag });
  // A tag that came back to an image would lead round for ever.
  while (digest !== undefined && !seen.has(digest)) {
    seen.add(digest);
    const all = await readRunnerRecords(client, { repository, digest });
    const own = all.filter((record) => record.imageTag === imageTag);
    records.push(...own);
    // One that was only recorded anew replaced nothing then.
    digest = own.find(({ move }) => move !== "unchanged")?.replaces;
  }
  return records;
}

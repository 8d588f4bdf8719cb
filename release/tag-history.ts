import { readDigest, type RegistryClient } from "../registry/client.ts";
import { readRunnerRecords, type RunnerRecord } from "./runner-record.ts";

/**
 * The records of what a tag named, the newest first: of each image, and of all that it ever replaced. A tag that came back to an
 * image has left two of it, and both lead on.
 */
export async function readTagHistory(
  client: RegistryClient,
  { repository, imageTag }: { readonly repository: string; readonly imageTag: string },
): Promise<readonly RunnerRecord[]> {
  const records: RunnerRecord[] = [];
  const digest = await readDigest(client, { repository, tag: imageTag });
  // A set goes on over what is added to it on the way, and has each once: no way back leads round for ever.
  const images = new Set(digest === undefined ? [] : [digest]);
  for (const image of images) {
    const all = await readRunnerRecords(client, { repository, digest: image });
    for (const record of all.filter((one) => one.imageTag === imageTag)) {
      records.push(record);
      if (record.replaces !== undefined) images.add(record.replaces);
    }
  }
  return records.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

/**
 * Whether a tag was set back from an image or its version, and has not gone up since. Who sets it back twice leaves two versions
 * behind. The whole history is asked for only where the last move was not up.
 */
export async function wasSetBackFrom(
  client: RegistryClient,
  at: { readonly repository: string; readonly imageTag: string },
  { digest, version }: Pick<RunnerRecord, "digest" | "version">,
): Promise<boolean> {
  const now = await readDigest(client, { repository: at.repository, tag: at.imageTag });
  if (now === undefined) return false;
  const last = (await readRunnerRecords(client, { repository: at.repository, digest: now })).find(
    ({ imageTag }) => imageTag === at.imageTag,
  );
  if (last === undefined || isUp(last)) return false;
  const history = await readTagHistory(client, at);
  const up = history.findIndex(isUp);
  const since = up === -1 ? history : history.slice(0, up);
  const left = since.filter(({ move }) => move === "moved back").map(({ replaces }) => replaces);
  return left.includes(digest) || history.some((record) => record.version === version && left.includes(record.digest));
}

const isUp = ({ move }: RunnerRecord) => move === "moved" || move === "new";

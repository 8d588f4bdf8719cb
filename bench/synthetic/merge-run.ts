import { mergeCaches } from "../../cache/merge.ts";
import { printMeasured } from "./measured.ts";

/** `node merge-run.ts OUT SHARD…`: merges cache directories, and prints the seconds and the memory of it. */
const [out = "", ...shards] = process.argv.slice(2);
await printMeasured(() => mergeCaches(out, shards));

// Loaded into a Node process by `node --import`: writes the most memory that the process had, in bytes, into the folder
// that KILN_BENCH_PEAK names, under its process id. Children that are no Node processes are not counted.
import { writeFileSync } from "node:fs";
import path from "node:path";

const folder = process.env.KILN_BENCH_PEAK;
if (folder !== undefined) {
  process.on("exit", () => {
    // maxRSS is in kilobytes, whatever the system.
    writeFileSync(path.join(folder, String(process.pid)), String(process.resourceUsage().maxRSS * 1024));
  });
}

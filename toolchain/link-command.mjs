// npm links the commands of dependencies, not the project's own: this puts `kiln` where `npx kiln` looks for it.
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../node_modules/.bin", import.meta.url));
mkdirSync(bin, { recursive: true });
rmSync(path.join(bin, "kiln"), { force: true });
symlinkSync("../../cli/kiln.mjs", path.join(bin, "kiln"));

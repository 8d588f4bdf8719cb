#!/usr/bin/env node
// The entrance of `npm run bench`.
import { fileURLToPath } from "node:url";
import { enter } from "../toolchain/entrance.mjs";

await enter({ name: "bench", script: fileURLToPath(import.meta.url), load: () => import("./main.ts") });

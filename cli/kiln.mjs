#!/usr/bin/env node
// The entrance of the `kiln` command.
import { fileURLToPath } from "node:url";
import { enter } from "../toolchain/entrance.mjs";

await enter({ name: "kiln", script: fileURLToPath(import.meta.url), load: () => import("./main.ts") });

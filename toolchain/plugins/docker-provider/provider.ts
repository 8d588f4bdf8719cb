import { main } from "@pulumi/pulumi/provider/index.js";
import { interruption } from "../../process.ts";
import { onEngineEnd } from "../engine-life.ts";
import { engineAddress, engineLog } from "../engine-log.ts";
import { ImageProvider } from "./image-provider.ts";

const args = process.argv.slice(2);

onEngineEnd(() => {
  interruption.abort();
  process.exit(1);
});

const images = new ImageProvider(engineLog(engineAddress(args) ?? ""));
const cancel = () => {
  interruption.abort();
  return Promise.resolve();
};

await main(Object.assign(images, { cancel }), args);

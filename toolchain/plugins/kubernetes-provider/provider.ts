import { engineAddress, engineLog } from "../engine-log.ts";
import { serveProvider } from "../provider-server.ts";
import { KubernetesProvider } from "./kubernetes-provider.ts";

await serveProvider(new KubernetesProvider(engineLog(engineAddress(process.argv.slice(2)) ?? "")));

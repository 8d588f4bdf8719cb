import { engineAddress, engineLog } from "../engine-log.ts";
import { serveProvider } from "../provider-server.ts";
import { madeUpNumber } from "../typed-provider/made-up.ts";
import { typedProvider } from "../typed-provider/typed-provider.ts";

const log = engineLog(engineAddress(process.argv.slice(2)) ?? "");

/** `pulumi-resource-github` for tests and for previews without the official plugin. */
await serveProvider(
  typedProvider({
    name: "github",
    identity: ["repository", "environment", "secretName", "variableName", "branchPattern", "tagPattern"],
    functions: {
      "github:index/getRepository:getRepository": ({ name, fullName }) => {
        const repository = String(name ?? fullName).replace(/^.*\//, "");
        return { id: repository, name: repository, repoId: madeUpNumber(repository), nodeId: `loopback-${repository}` };
      },
    },
    announce: (line) => log.info(line),
  }),
);

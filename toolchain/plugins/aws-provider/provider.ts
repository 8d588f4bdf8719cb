import { engineAddress, engineLog } from "../engine-log.ts";
import { serveProvider } from "../provider-server.ts";
import { typedProvider } from "../typed-provider/typed-provider.ts";

const log = engineLog(engineAddress(process.argv.slice(2)) ?? "");

/** `pulumi-resource-aws` for tests and for previews without the official plugin. */
await serveProvider(
  typedProvider({
    name: "aws",
    identity: ["repositoryName", "bucket", "name", "region"],
    functions: {
      "aws:index/getCallerIdentity:getCallerIdentity": () => ({
        id: "000000000000",
        accountId: "000000000000",
        arn: "arn:aws:iam::000000000000:user/loopback",
        userId: "loopback",
      }),
      "aws:index/getRegion:getRegion": ({ region }) => {
        const name = typeof region === "string" ? region : "us-east-1";
        return { id: name, name, region: name, description: "loopback", endpoint: "localhost" };
      },
      "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": ({ url }) => {
        const host = String(url).replace(/^https:\/\//, "");
        const arn = `arn:aws:iam::000000000000:oidc-provider/${host}`;
        return { id: arn, arn, url: host, clientIdLists: ["sts.amazonaws.com"], thumbprintLists: [], tags: {} };
      },
    },
    announce: (line) => log.info(line),
  }),
);

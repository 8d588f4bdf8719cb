import { Server, ServerCredentials } from "@grpc/grpc-js";
import languageService from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { refusalOf } from "../allowed-stacks.ts";
import { onEngineEnd } from "../engine-life.ts";
import { engineAddress, engineLog } from "../engine-log.ts";
import { grpcAnswer } from "../grpc-answer.ts";
import { ProgramRuns } from "./program-runs.ts";

/**
 * The part of Pulumi's Node language host that this project needs, for machines that cannot download the official one.
 * The protocol is `pulumi/language.proto`; the shape is that of pulumi-language-nodejs.
 */
const engine = engineAddress(process.argv.slice(2)) ?? "";
const log = engineLog(engine);
const runs = new ProgramRuns(engine);
const server = new Server();

server.addService(languageService.LanguageRuntimeService, {
  getPluginInfo: grpcAnswer(() => new plugin.PluginInfo().setVersion("0.0.0-loopback")),
  getRequiredPackages: grpcAnswer(() => new language.GetRequiredPackagesResponse()),
  run: grpcAnswer(run),
  cancel: grpcAnswer(() => {
    runs.end();
    return new empty.Empty();
  }),
});

onEngineEnd(() => {
  runs.end();
  server.forceShutdown();
  process.exit(1);
});

server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  // The engine reads the port from the first line of standard output.
  console.log(String(port));
});

async function run(request: language.RunRequest): Promise<language.RunResponse> {
  const refusal = request.getDryrun() ? undefined : refusalOf(request.getStack());
  if (refusal !== undefined) {
    await log.error(refusal);
    return new language.RunResponse().setBail(true);
  }
  await log.info("Using kiln's loopback language host: the official one is not installed.");
  return runs.run(request);
}

import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import languageService from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";

// A language host whose programs do nothing and require what TINY_REQUIRES says, `name@version`: what
// pulumi-language-go says of a go.mod that names the SDKs of more providers than the program uses.

const required = (process.env.TINY_REQUIRES ?? "").split(",").filter((text) => text !== "");
const server = new Server();

server.addService(languageService.LanguageRuntimeService, {
  getPluginInfo: answer(new plugin.PluginInfo().setVersion("1.0.0")),
  getRequiredPackages: answer(
    new language.GetRequiredPackagesResponse().setPackagesList(
      required.map((text) => {
        const [name = "", version = ""] = text.split("@");
        return new plugin.PackageDependency().setName(name).setKind("resource").setVersion(`v${version}`);
      }),
    ),
  ),
  run: answer(new language.RunResponse()),
  cancel: answer(new empty.Empty()),
});

server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  // The engine reads the port from the first line of standard output.
  console.log(String(port));
});

function answer<Response>(response: Response) {
  return (_: ServerUnaryCall<unknown, Response>, done: sendUnaryData<Response>): void => {
    done(null, response);
  };
}

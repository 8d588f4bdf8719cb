import { Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import proto from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import anyProto from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { onEngineEnd } from "./engine-life.ts";
import { grpcAnswer } from "./grpc-answer.ts";
import { PartialFailure } from "./provider-handlers.ts";
import type { Answer, Change, ChangeKind, DiffAnswer, DiffRequest, ProviderHandlers } from "./provider-handlers.ts";
import type { Properties } from "./property-values.ts";

/**
 * Serves a provider on loopback until its engine is gone, and prints the port, as the engine expects of a plugin. The
 * protocol is `pulumi/provider.proto`; unlike the SDK's own server it lets secrets keep their marks.
 */
export async function serveProvider(handlers: ProviderHandlers): Promise<void> {
  const { server, port } = await startProvider(handlers);
  onEngineEnd(() => {
    handlers.cancel?.();
    server.forceShutdown();
    process.exit(1);
  });
  // The engine reads the port from the first line of standard output.
  console.log(String(port));
}

/** The server alone, listening on a free port of 127.0.0.1. */
export async function startProvider(handlers: ProviderHandlers): Promise<{ server: Server; port: number }> {
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(providerService.ResourceProviderService, serviceOf(handlers));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { server, port };
}

/** What is not answered here (schemas, `construct`, `call` …) the engine is told to be unimplemented. */
function serviceOf(handlers: ProviderHandlers) {
  return {
    getPluginInfo: answer(() => new plugin.PluginInfo().setVersion(handlers.version)),
    attach: answer(() => new empty.Empty()),
    cancel: answer(() => {
      handlers.cancel?.();
      return new empty.Empty();
    }),
    configure: answer(async (request: proto.ConfigureRequest) => {
      await handlers.configure?.(bag(request.getArgs()));
      return new proto.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
    }),
    invoke: answer(async (request: proto.InvokeRequest) => {
      if (handlers.invoke === undefined) throw new Error(`this plugin knows no function ${request.getTok()}`);
      const result = await handlers.invoke(request.getTok(), bag(request.getArgs()));
      return new proto.InvokeResponse().setReturn(wire(result));
    }),
    check: answer(async (request: proto.CheckRequest) => {
      const [oldInputs, inputs] = [bag(request.getOlds()), bag(request.getNews())];
      const checked = await handlers.check({ urn: request.getUrn(), oldInputs, inputs });
      const failures = checked.failures.map(({ property, reason }) =>
        new proto.CheckFailure().setProperty(property).setReason(reason),
      );
      return new proto.CheckResponse().setInputs(wire(checked.inputs)).setFailuresList(failures);
    }),
    diff: answer(async (request: proto.DiffRequest) => diffResponse(await handlers.diff(diffRequest(request)))),
    create: answer(async (request: proto.CreateRequest) => {
      const inputs = bag(request.getProperties());
      const { id, state } = await handlers.create({ urn: request.getUrn(), inputs, ...changeOf(request) });
      return new proto.CreateResponse().setId(id).setProperties(wire(state));
    }),
    update: answer(async (request: proto.UpdateRequest) => {
      const { state } = await handlers.update({ ...diffRequest(request), ...changeOf(request) });
      return new proto.UpdateResponse().setProperties(wire(state));
    }),
    delete: answer(async (request: proto.DeleteRequest) => {
      const [state, oldInputs] = [bag(request.getProperties()), bag(request.getOldInputs())];
      const [urn, id, timeout] = [request.getUrn(), request.getId(), request.getTimeout()];
      await handlers.delete({ urn, id, state, oldInputs, timeout });
      return new empty.Empty();
    }),
    read: answer(async (request: proto.ReadRequest) => {
      const [state, inputs] = [bag(request.getProperties()), bag(request.getInputs())];
      const found = await handlers.read({ urn: request.getUrn(), id: request.getId(), state, inputs });
      // An empty identifier says that the resource is gone.
      if (found === undefined) return new proto.ReadResponse();
      const response = new proto.ReadResponse().setId(found.id);
      return response.setProperties(wire(found.state)).setInputs(wire(found.inputs));
    }),
  };
}

function diffRequest(request: proto.DiffRequest | proto.UpdateRequest): DiffRequest {
  return {
    urn: request.getUrn(),
    id: request.getId(),
    state: bag(request.getOlds()),
    oldInputs: bag(request.getOldInputs()),
    inputs: bag(request.getNews()),
    ignoreChanges: request.getIgnorechangesList(),
  };
}

function changeOf(request: proto.CreateRequest | proto.UpdateRequest): Change {
  return { preview: request.getPreview(), timeout: request.getTimeout() };
}

/** The protocol's words for the kinds of change. */
const { Kind } = proto.PropertyDiff;
const KINDS: Readonly<Record<ChangeKind, proto.PropertyDiff.Kind>> = {
  add: Kind.ADD,
  "add-replace": Kind.ADD_REPLACE,
  delete: Kind.DELETE,
  "delete-replace": Kind.DELETE_REPLACE,
  update: Kind.UPDATE,
  "update-replace": Kind.UPDATE_REPLACE,
};

function diffResponse({ changes, deleteBeforeReplace }: DiffAnswer): proto.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
  const paths = Object.keys(changes);
  const response = new proto.DiffResponse()
    .setChanges(paths.length === 0 ? DIFF_NONE : DIFF_SOME)
    .setDiffsList([...new Set(paths.map(topLevel))])
    .setReplacesList([...new Set(paths.filter((path) => changes[path]?.endsWith("-replace")).map(topLevel))])
    .setDeletebeforereplace(deleteBeforeReplace ?? false)
    .setHasdetaileddiff(true);
  for (const [path, kind] of Object.entries(changes)) {
    response.getDetaileddiffMap().set(path, new proto.PropertyDiff().setKind(KINDS[kind]).setInputdiff(true));
  }
  return response;
}

function topLevel(path: string): string {
  return /^[^.[]*/.exec(path)?.[0] ?? path;
}

function bag(properties: struct.Struct | undefined): Properties {
  return properties?.toJavaScript() ?? {};
}

/** `undefined` is no value of the protocol: such a property is left out. */
function wire(properties: Properties): struct.Struct {
  return struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, struct.JavaScriptValue>);
}

/** A handler whose failure may leave a resource behind. */
function answer<Request, Response>(respond: (request: Request) => Answer<Response>) {
  return grpcAnswer(respond, (error) => ({
    code: status.UNKNOWN,
    ...(error instanceof PartialFailure ? { metadata: kept(error) } : {}),
  }));
}

/** How gRPC carries the resource that exists in spite of the failure: the shape is that of the SDK's own server. */
function kept(failure: PartialFailure): Metadata {
  const detail = new proto.ErrorResourceInitFailed().setId(failure.id).setReasonsList([failure.message]);
  detail.setProperties(wire(failure.state)).setInputs(wire(failure.inputs));
  const packed = new anyProto.Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const report = new statusProto.Status().setCode(status.UNKNOWN).setMessage(failure.message).setDetailsList([packed]);
  const metadata = new Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(report.serializeBinary()));
  return metadata;
}

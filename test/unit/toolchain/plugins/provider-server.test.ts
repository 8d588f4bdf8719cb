import { credentials, status, type ServiceError } from "@grpc/grpc-js";
import type plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import providerService from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import proto from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { PartialFailure, type ProviderHandlers } from "../../../../toolchain/plugins/provider-handlers.ts";
import { startProvider } from "../../../../toolchain/plugins/provider-server.ts";
import { secret } from "../../../../toolchain/plugins/property-values.ts";

const URN = "urn:pulumi:test-x::kiln::a:b:C::name";
const unexpected = () => {
  throw new Error("unexpected call");
};

/** Every handler fails unless the test gives another. */
async function clientOf(handlers: Partial<ProviderHandlers>): Promise<Calls> {
  const { server, port } = await startProvider({
    version: "1.2.3",
    check: unexpected,
    diff: unexpected,
    create: unexpected,
    update: unexpected,
    delete: unexpected,
    read: unexpected,
    ...handlers,
  });
  const client = new providerService.ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => {
    client.close();
    server.forceShutdown();
  });
  return (call) =>
    new Promise((resolve, reject) => {
      call(client, (error, response) => {
        if (error) reject(error);
        else resolve(response);
      });
    });
}

type Client = InstanceType<typeof providerService.ResourceProviderClient>;
type Done<Response> = (error: ServiceError | null, response: Response) => void;
type Calls = <Response>(call: (client: Client, done: Done<Response>) => unknown) => Promise<Response>;

function bag(value: Record<string, struct.JavaScriptValue>): struct.Struct {
  return struct.Struct.fromJavaScript(value);
}

describe("a provider on gRPC", () => {
  it("says its version, and that it takes secrets and previews", async () => {
    let config: unknown;
    const call = await clientOf({
      configure(given) {
        config = given;
      },
    });
    const info = await call<plugin.PluginInfo>((client, done) => client.getPluginInfo(new empty.Empty(), done));
    expect(info.getVersion()).toBe("1.2.3");
    const request = new proto.ConfigureRequest().setArgs(bag({ owner: "acme" }));
    const answer = await call<proto.ConfigureResponse>((client, done) => client.configure(request, done));
    expect([answer.getAcceptsecrets(), answer.getSupportspreview()]).toEqual([true, true]);
    expect(config).toEqual({ owner: "acme" });
  });

  it("hands values on with their secret marks, both ways, and drops what is undefined", async () => {
    const seen: unknown[] = [];
    const call = await clientOf({
      create(request) {
        seen.push(request);
        return { id: "7", state: { ...request.inputs, gone: undefined, more: [1, null] } };
      },
    });
    const inputs = { key: secret("x") as unknown as struct.JavaScriptValue };
    const request = new proto.CreateRequest().setUrn(URN).setProperties(bag(inputs)).setPreview(true).setTimeout(60);
    const answer = await call<proto.CreateResponse>((client, done) => client.create(request, done));
    expect(seen).toEqual([{ urn: URN, inputs: { key: secret("x") }, preview: true, timeout: 60 }]);
    expect(answer.getId()).toBe("7");
    expect(answer.getProperties()?.toJavaScript()).toEqual({ key: secret("x"), more: [1, null] });
  });

  it("tells a difference by path, and by property what replaces", async () => {
    const call = await clientOf({
      diff: ({ oldInputs, inputs, ignoreChanges }) => {
        expect([oldInputs, inputs, ignoreChanges]).toEqual([{ a: 1 }, { a: 2 }, ["b"]]);
        return { changes: { "a.b[0]": "update", "a.c": "add-replace", d: "delete" }, deleteBeforeReplace: true };
      },
    });
    const request = new proto.DiffRequest()
      .setUrn(URN)
      .setOldInputs(bag({ a: 1 }))
      .setNews(bag({ a: 2 }))
      .setIgnorechangesList(["b"]);
    const answer = await call<proto.DiffResponse>((client, done) => client.diff(request, done));
    expect(answer.getChanges()).toBe(proto.DiffResponse.DiffChanges.DIFF_SOME);
    expect(answer.getDiffsList()).toEqual(["a", "d"]);
    expect(answer.getReplacesList()).toEqual(["a"]);
    expect(answer.getDeletebeforereplace()).toBe(true);
    const { ADD_REPLACE, DELETE, UPDATE } = proto.PropertyDiff.Kind;
    expect(answer.getDetaileddiffMap().getLength()).toBe(3);
    const kinds = ["a.b[0]", "a.c", "d"].map((path) => answer.getDetaileddiffMap().get(path)?.getKind());
    expect(kinds).toEqual([UPDATE, ADD_REPLACE, DELETE]);
  });

  it("without a difference says so", async () => {
    const call = await clientOf({ diff: () => ({ changes: {} }) });
    const answer = await call<proto.DiffResponse>((client, done) => client.diff(new proto.DiffRequest(), done));
    expect(answer.getChanges()).toBe(proto.DiffResponse.DiffChanges.DIFF_NONE);
  });

  it("reports failed checks and missing resources", async () => {
    const call = await clientOf({
      check: ({ inputs }) => ({ inputs, failures: [{ property: "a", reason: "it is wrong" }] }),
      read: () => undefined,
    });
    const checked = await call<proto.CheckResponse>((client, done) =>
      client.check(new proto.CheckRequest().setNews(bag({ a: 1 })), done),
    );
    expect(checked.getFailuresList().map((failure) => failure.toObject())).toEqual([
      { property: "a", reason: "it is wrong" },
    ]);
    const read = await call<proto.ReadResponse>((client, done) =>
      client.read(new proto.ReadRequest().setId("1"), done),
    );
    expect(read.getId()).toBe("");
  });

  it("fails with the message alone", async () => {
    const call = await clientOf({
      delete: () => {
        throw new Error("cannot delete it");
      },
    });
    const failed = call((client, done) => client.delete(new proto.DeleteRequest(), done));
    await expect(failed).rejects.toMatchObject({ code: status.UNKNOWN, details: "cannot delete it" });
    const invoked = call((client, done) => client.invoke(new proto.InvokeRequest().setTok("a:b:c"), done));
    await expect(invoked).rejects.toMatchObject({ details: "this plugin knows no function a:b:c" });
  });

  it("keeps what exists in spite of a failure", async () => {
    const call = await clientOf({
      create: () => {
        throw new PartialFailure("it is not ready", { id: "7", state: { a: 1 }, inputs: { a: secret(1) } });
      },
    });
    const failed = call((client, done) => client.create(new proto.CreateRequest(), done));
    const error = await failed.then(unexpected, (thrown: unknown) => thrown as ServiceError);
    expect(error.details).toBe("it is not ready");
    const [packed] = error.metadata.get("grpc-status-details-bin");
    const [detail] = statusProto.Status.deserializeBinary(packed as Buffer).getDetailsList();
    const kept = proto.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
    expect(kept.getId()).toBe("7");
    expect(kept.getReasonsList()).toEqual(["it is not ready"]);
    expect(kept.getProperties()?.toJavaScript()).toEqual({ a: 1 });
    expect(kept.getInputs()?.toJavaScript()).toEqual({ a: secret(1) });
  });

  it("knows of schemas and components only that it has none", async () => {
    const call = await clientOf({});
    const asked = call((client, done) => client.getSchema(new proto.GetSchemaRequest(), done));
    await expect(asked).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });
});

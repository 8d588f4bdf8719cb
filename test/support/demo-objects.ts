import { PROVISIONER } from "./node-stand-in.ts";
import type { ProgramObject } from "./object-program.ts";

const inDemo = <T extends { readonly metadata: object }>(object: T) => ({
  ...object,
  metadata: { namespace: "demo", ...object.metadata },
});

const LABELS = { app: "demo" };

/** A namespace and one object of each sort that is waited for, bound late or defined in the same run. */
export function demoObjects({
  replicas = 2,
  text = "one",
  selector = LABELS,
  size = 1,
} = {}): readonly ProgramObject[] {
  const after = ["namespace"];
  const pod = { metadata: { labels: selector }, spec: { containers: [{ name: "c", image: "example.com/image" }] } };
  return [
    { name: "namespace", object: { apiVersion: "v1", kind: "Namespace", metadata: { name: "demo" } } },
    {
      name: "config",
      after,
      object: inDemo({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "config" }, data: { text } }),
    },
    {
      name: "secret",
      after,
      object: inDemo({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "secret" },
        stringData: { token: "a-very-secret-token" },
      }),
    },
    {
      name: "definition",
      object: {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: "things.example.com" },
        spec: {
          group: "example.com",
          scope: "Namespaced",
          names: { plural: "things", singular: "thing", kind: "Thing" },
          versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: THING } }],
        },
      },
    },
    {
      name: "thing",
      after: ["namespace", "definition"],
      object: inDemo({
        apiVersion: "example.com/v1",
        kind: "Thing",
        metadata: { name: "thing" },
        spec: { size },
      }),
    },
    {
      name: "class",
      object: {
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name: "demo" },
        provisioner: PROVISIONER,
      },
    },
    {
      name: "claim",
      after: ["namespace", "class"],
      object: inDemo({
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "claim" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "demo",
          resources: { requests: { storage: "1Gi" } },
        },
      }),
    },
    {
      name: "deployment",
      after,
      object: inDemo({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "deployment" },
        spec: { replicas, selector: { matchLabels: selector }, template: pod },
      }),
    },
  ];
}

const THING = {
  type: "object",
  properties: { spec: { type: "object", properties: { size: { type: "integer", maximum: 3 } } } },
};

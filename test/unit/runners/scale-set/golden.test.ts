import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { parse } from "yaml";
import { requireScaleSet } from "../../../../runners/scale-set/checks.ts";
import type { ScaleSetRequest } from "../../../../runners/scale-set/request.ts";
import { readCrdSchema, schemaProblems } from "../../../support/crd-schema.ts";
import type { AllowedDifferences } from "../../../support/golden.ts";
import { expectGolden, goldenFile, manifestsOf, missingGoldenFolders, readGolden } from "../../../support/golden.ts";
import { recordResources, valueOf } from "../../../support/mocks.ts";
import type { ChartValues } from "../../../support/scale-set-values.ts";
import { requestOfValues } from "../../../support/scale-set-values.ts";

const SET = "AutoscalingRunnerSet/*: ";
const POD = `${SET}spec.template.spec.`;

/** Where every object differs from the chart's, whatever the values. */
const EVERYWHERE: AllowedDifferences = {
  '*: metadata.labels["helm.sh/chart"]': "no chart renders this",
  '*: metadata.labels["app.kubernetes.io/managed-by"]': "Pulumi manages it, not Helm",
  "*: metadata.finalizers":
    "protects against helm uninstall in any order; here dependsOn orders deletion, and a finalizer would need the controller",
  [`${SET}metadata.annotations["actions.github.com/cleanup-*"]`]: "names what the controller frees of those finalizers",
  [`${SET}metadata.annotations["actions.github.com/values-hash"]`]:
    "the version of the credentials, from who makes their Secret; every other change shows in the spec",
  [`${SET}metadata.annotations["pulumi.com/deletionPropagationPolicy"]`]:
    "Helm deletes in the background of itself; Pulumi has to be told, or the garbage collector ends running jobs",
};

/** Where mode none is safer than the chart. */
const RESTRICTED: AllowedDifferences = {
  "ServiceAccount/*: automountServiceAccountToken": "runner pods talk to no Kubernetes API",
  [`${POD}containers[runner].securityContext`]: "restricted: no privileges to gain",
};

const EVICTION: AllowedDifferences = {
  [`${SET}spec.template.metadata`]: "no runner idles here, so each pod has a job: autoscalers must not evict it",
};

const RENDERINGS: Readonly<Record<string, { allowed: AllowedDifferences; about?: Partial<ScaleSetRequest<string>> }>> =
  {
    default: {
      allowed: {
        ...RESTRICTED,
        ...EVICTION,
        [`${POD}securityContext.runAs*`]: "restricted: the runner's user, never root",
        [`${POD}securityContext.seccompProfile`]:
          "restricted: the system calls that a container runtime allows by default",
      },
    },
    dind: {
      allowed: {
        ...EVICTION,
        "ServiceAccount/*: automountServiceAccountToken": "runner pods talk to no Kubernetes API",
      },
    },
    kubernetes: {
      allowed: {
        ...EVICTION,
        [`${POD}securityContext`]: "the work volume belongs to the runner's group, or uid 1001 cannot write it (#2890)",
      },
    },
    "proxy-ca": {
      allowed: {
        ...RESTRICTED,
        ...EVICTION,
        [`${POD}securityContext`]: "restricted: the runner's user, no root, the default system calls",
        [`${POD}containers[runner].env[RUNNER_UPDATE_CA_CERTS]`]:
          "it has run.sh call sudo, which a restricted pod does not have",
        [`${POD}containers[runner].env[SSL_CERT_FILE]`]: "for OpenSSL and .NET, which the runner itself is",
        [`${POD}initContainers`]: "writes the bundle in which the authority stands, without sudo",
        [`${POD}containers[runner].volumeMounts[/etc/ssl/certs/ca-certificates.crt]`]:
          "that bundle, where git and curl look",
        [`${POD}volumes[certificate-bundle]`]: "that bundle",
      },
    },
    "dind-vault": {
      allowed: {
        ...EVICTION,
        "ServiceAccount/*: automountServiceAccountToken": "runner pods talk to no Kubernetes API",
        [`${POD}volumes (order)`]: "volumes have no order",
      },
    },
    novolume: {
      about: { configUrl: "https://github.com/acme", secretName: "iac-novolume-gha-rs-github-secret" },
      allowed: {
        [`${SET}spec.githubConfigUrl`]: "a repository has no runner groups: the values' address is refused, see below",
        "Secret/iac-novolume-gha-rs-github-secret": "RunnerNamespace makes the credentials' Secret",
        [`${POD}volumes`]: "an empty list says nothing",
        [`${POD}containers[runner].volumeMounts`]: "an empty list says nothing",
      },
    },
  };

/** The request that says what a golden file's values say. */
function requestOf(name: string): ScaleSetRequest<string> {
  const file = goldenFile(`${name}.values.yaml`);
  if (file === undefined) throw new Error(`there is a rendering ${name}, but not its values`);
  return requestOfValues(parse(readFileSync(file, "utf8")) as ChartValues);
}

/** What the program registers for a request. */
async function registered(request: ScaleSetRequest<string>) {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  onTestFinished(() => {
    warn.mockRestore();
  });
  const resources = await recordResources();
  const { RunnerScaleSet } = await import("../../../../components/runner-scale-set.ts");
  const set = new RunnerScaleSet("set", request);
  await valueOf(set.urn);
  await valueOf(set.scaleSetName);
  return manifestsOf(resources);
}

const SCHEMA = readCrdSchema("autoscalingrunnersets");

describe.each(Object.entries(RENDERINGS))("the official chart's rendering %s", (name, { allowed, about }) => {
  const theirs = readGolden(`${name}.rendered.yaml`);

  it.skipIf(theirs === undefined)("differs from ours where the table says, and why", async () => {
    const ours = await registered({ ...requestOf(name), ...about });
    expectGolden(ours, theirs ?? [], { ...EVERYWHERE, ...allowed });
  });

  it.skipIf(SCHEMA === undefined || theirs === undefined)(
    "becomes an object of ours that the CRD takes whole",
    async () => {
      const ours = await registered({ ...requestOf(name), ...about });
      const set = ours.find(({ kind }) => kind === "AutoscalingRunnerSet");
      expect(schemaProblems(set, SCHEMA ?? {})).toEqual([]);
    },
  );
});

describe("the official chart", () => {
  const rendered = goldenNames().filter((name) => name.endsWith(".rendered.yaml") && !name.startsWith("controller"));
  const compared = Object.keys(RENDERINGS).map((name) => `${name}.rendered.yaml`);
  it.skipIf(rendered.length === 0)("has no rendering of a scale set that is not compared above", () => {
    expect(rendered.filter((name) => !compared.includes(name))).toEqual([]);
  });

  it.skipIf(missingGoldenFolders().length > 0)("has every rendering of a scale set that is compared above", () => {
    expect(compared.filter((name) => !rendered.includes(name))).toEqual([]);
  });

  const vault = readGolden("dind-vault.rendered.yaml")?.find(({ kind }) => kind === "AutoscalingRunnerSet");
  it.skipIf(vault === undefined || SCHEMA === undefined)("writes a field that its CRD does not have", () => {
    expect(schemaProblems(vault, SCHEMA ?? {})).toEqual([".spec.vaultConfig.azureKeyVault.secretKey: is unknown"]);
  });

  it.skipIf(readGolden("novolume.rendered.yaml") === undefined)(
    "takes a runner group for a repository, which fails at GitHub and is refused here",
    () => {
      expect(() => {
        requireScaleSet(requestOf("novolume"), "kiln:runners.novolume");
      }).toThrow("kiln:runners.novolume.configUrl is a repository, which has no runner groups");
    },
  );
});

/** Every file of the folders in which golden files are. */
function goldenNames(): readonly string[] {
  const folders = new Set(
    ["default.rendered.yaml", "novolume.rendered.yaml"]
      .flatMap((name) => goldenFile(name) ?? [])
      .map((file) => path.dirname(file)),
  );
  return [...folders].flatMap((folder) => readdirSync(folder)).toSorted();
}

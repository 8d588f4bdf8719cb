import * as pulumi from "@pulumi/pulumi";
import { onTestFinished } from "vitest";

/** One resource as the program registered it. Secret inputs are unwrapped; `secrets` names the top-level ones. */
export interface RecordedResource {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
}

/** What providers answer, by resource type. A type that is not here makes the test fail. */
const OUTPUTS: Readonly<Record<string, (inputs: Readonly<Record<string, unknown>>) => Record<string, unknown>>> = {
  "docker:index/image:Image": ({ imageName }) => ({
    baseImageName: imageName,
    repoDigest: `${String(imageName).replace(/:[^:/]+$/, "")}@sha256:${"d".repeat(64)}`,
  }),
  "kiln:image:RunnerImage": () => ({}),
  "aws:ecrpublic/repository:Repository": ({ repositoryName }) => ({
    repositoryUri: `public.ecr.aws/acme/${String(repositoryName)}`,
  }),
  "aws:iam/role:Role": ({ name }) => ({ arn: `arn:aws:iam::123456789012:role/${String(name)}` }),
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": () => ({
    arn: "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
  }),
  "kiln:registry:ImageRepository": () => ({}),
};

/** What providers' functions answer, by token. A function that is not here makes the test fail. */
const ANSWERS: Readonly<Record<string, Record<string, unknown>>> = {
  "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": {
    arn: "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
  },
};

/** Resources whose outputs are their inputs: kiln's own components, and what an API server or GitHub keeps as it was given. */
const ECHOED = new Set([
  "aws:ecrpublic/repositoryPolicy:RepositoryPolicy",
  "aws:iam/rolePolicy:RolePolicy",
  "kiln:github:GithubAccess",
  "kiln:image:ActionsRunnerImage",
  "kiln:registry:LanguageRunnerRegistry",
  "kiln:registry:PublishingRole",
  "kiln:release:ReleaseWatcher",
  "kiln:image:JobImage",
  "kiln:image:LanguageImage",
  "kiln:runner:BuildKit",
  "kiln:runner:CacheVolumes",
  "kiln:runner:ImagePrePull",
  "kiln:runner:RunnerController",
  "kiln:runner:RunnerFreshness",
  "kiln:runner:RunnerNamespace",
  "kiln:runner:RunnerObservability",
  "kiln:runner:RunnerScaleSet",
  "kiln:runner:RunnerTenant",
  "kiln:runner:Runners",
  "pulumi:providers:aws",
  "pulumi:providers:github",
  "pulumi:providers:kubernetes",
  "kubernetes:actions.github.com/v1alpha1:AutoscalingRunnerSet",
  "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
  "kubernetes:apps/v1:DaemonSet",
  "kubernetes:apps/v1:Deployment",
  "kubernetes:apps/v1:StatefulSet",
  "kubernetes:batch/v1:CronJob",
  "kubernetes:core/v1:ConfigMap",
  "kubernetes:core/v1:LimitRange",
  "kubernetes:core/v1:Namespace",
  "kubernetes:core/v1:PersistentVolume",
  "kubernetes:core/v1:PersistentVolumeClaim",
  "kubernetes:core/v1:ResourceQuota",
  "kubernetes:core/v1:Secret",
  "kubernetes:core/v1:Service",
  "kubernetes:core/v1:ServiceAccount",
  "kubernetes:monitoring.coreos.com/v1:PodMonitor",
  "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
  "kubernetes:networking.k8s.io/v1:NetworkPolicy",
  "kubernetes:policy/v1:PodDisruptionBudget",
  "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
  "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
  "kubernetes:rbac.authorization.k8s.io/v1:Role",
  "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
  "kubernetes:scheduling.k8s.io/v1:PriorityClass",
  "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshot",
  "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotContent",
  "github:index/actionsEnvironmentSecret:ActionsEnvironmentSecret",
  "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable",
  "github:index/actionsRunnerGroup:ActionsRunnerGroup",
  "github:index/actionsSecret:ActionsSecret",
  "github:index/actionsVariable:ActionsVariable",
  "github:index/repositoryEnvironment:RepositoryEnvironment",
  "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy",
  "github:index/repositoryRuleset:RepositoryRuleset",
]);

/** The key under which the engine marks a special value, and the mark of a secret. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/**
 * Puts recording mocks in the place of the engine until the test ends, and returns the list that fills as resources are
 * registered.
 */
export async function recordResources(stack = "test-unit", project = "kiln"): Promise<readonly RecordedResource[]> {
  const recorded: RecordedResource[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, id, inputs, custom }) {
        const answer = OUTPUTS[type] ?? (ECHOED.has(type) ? () => ({}) : undefined);
        if (answer === undefined) throw new Error(`the mocks know no resource of type ${type}`);
        const given = inputs as Record<string, unknown>;
        const plain = unwrapped(given) as Record<string, unknown>;
        recorded.push({ type, name, inputs: plain, secrets: Object.keys(given).filter((key) => isSecret(given[key])) });
        return { id: custom === false ? undefined : (id ?? `${name}-id`), state: { ...plain, ...answer(plain) } };
      },
      call({ token }) {
        const answer = ANSWERS[token];
        if (answer === undefined) throw new Error(`the mocks know no function ${token}`);
        return answer;
      },
    },
    project,
    stack,
  );
  // What is still being registered belongs to this test's mocks, not to those of the next.
  onTestFinished(async () => {
    await pulumi.runtime.disconnect();
  });
  return recorded;
}

/** Returns once all that was begun is registered; what a test registers behind it needs mocks of its own. */
export async function settled(): Promise<void> {
  await pulumi.runtime.disconnect();
}

/** The value of an output, once every registration before it is done. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply((value) => {
      resolve(value);
    });
  });
}

function isSecret(value: unknown): value is { readonly value: unknown } {
  return typeof value === "object" && value !== null && (value as Record<string, unknown>)[SIGNATURE] === SECRET;
}

function unwrapped(value: unknown): unknown {
  if (isSecret(value)) return unwrapped(value.value);
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapped(inner)]));
}

import { KilnError } from "../../errors.ts";

/** What a set of credentials is made of, by the names of variables. */
export interface CredentialSet {
  /** Not secret by themselves: a region, an account, a role. They stand in the request. */
  readonly plain: readonly string[];
  /** Through the secret channel. */
  readonly secret: readonly string[];
  /** Paths on this machine: the files go through the secret channel, and the variables name them in the container. */
  readonly files: readonly string[];
  /** Files below the home directory that tools read where no variable names one. */
  readonly homes: Readonly<Record<string, string>>;
}

/**
 * Variables that the providers' SDKs read, static keys as well as those of OIDC and web identities. The first four are the
 * published interface's; `pulumi` and `opentofu` are for the tools' own backends.
 */
export const CREDENTIALS = {
  aws: {
    plain: [
      "AWS_REGION",
      "AWS_DEFAULT_REGION",
      "AWS_PROFILE",
      "AWS_ROLE_ARN",
      "AWS_ROLE_SESSION_NAME",
      "AWS_STS_REGIONAL_ENDPOINTS",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI",
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ],
    secret: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"],
    files: [
      "AWS_SHARED_CREDENTIALS_FILE",
      "AWS_CONFIG_FILE",
      "AWS_WEB_IDENTITY_TOKEN_FILE",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
      "AWS_CA_BUNDLE",
    ],
    homes: { AWS_SHARED_CREDENTIALS_FILE: ".aws/credentials", AWS_CONFIG_FILE: ".aws/config" },
  },
  gcp: {
    plain: [
      "GOOGLE_PROJECT",
      "GOOGLE_CLOUD_PROJECT",
      "GOOGLE_REGION",
      "GOOGLE_ZONE",
      "CLOUDSDK_CORE_PROJECT",
      "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
    ],
    secret: ["GOOGLE_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"],
    files: ["GOOGLE_APPLICATION_CREDENTIALS"],
    homes: { GOOGLE_APPLICATION_CREDENTIALS: ".config/gcloud/application_default_credentials.json" },
  },
  azure: {
    plain: [
      "AZURE_SUBSCRIPTION_ID",
      "AZURE_TENANT_ID",
      "AZURE_CLIENT_ID",
      "AZURE_AUTHORITY_HOST",
      "ARM_SUBSCRIPTION_ID",
      "ARM_TENANT_ID",
      "ARM_CLIENT_ID",
      "ARM_ENVIRONMENT",
      "ARM_USE_OIDC",
      "ARM_USE_MSI",
      "ARM_OIDC_REQUEST_URL",
      "ACTIONS_ID_TOKEN_REQUEST_URL",
    ],
    secret: [
      "AZURE_CLIENT_SECRET",
      "AZURE_CLIENT_CERTIFICATE_PASSWORD",
      "ARM_CLIENT_SECRET",
      "ARM_CLIENT_CERTIFICATE_PASSWORD",
      "ARM_OIDC_TOKEN",
      "ARM_OIDC_REQUEST_TOKEN",
      "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    ],
    files: [
      "AZURE_FEDERATED_TOKEN_FILE",
      "AZURE_CLIENT_CERTIFICATE_PATH",
      "ARM_OIDC_TOKEN_FILE_PATH",
      "ARM_CLIENT_CERTIFICATE_PATH",
    ],
    homes: {},
  },
  kubernetes: {
    plain: ["KUBE_CTX", "KUBE_HOST"],
    secret: ["KUBE_TOKEN", "KUBE_PASSWORD"],
    files: ["KUBECONFIG", "KUBE_CONFIG_PATH", "KUBE_CLUSTER_CA_CERT_FILE"],
    homes: { KUBECONFIG: ".kube/config" },
  },
  pulumi: {
    plain: ["PULUMI_BACKEND_URL"],
    secret: ["PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"],
    files: ["PULUMI_CONFIG_PASSPHRASE_FILE"],
    homes: {},
  },
  opentofu: {
    plain: ["TF_HTTP_ADDRESS", "TF_HTTP_USERNAME"],
    secret: ["TF_HTTP_PASSWORD", "TF_ENCRYPTION"],
    files: ["TF_CLI_CONFIG_FILE"],
    homes: { TF_CLI_CONFIG_FILE: ".tofurc" },
  },
} as const satisfies Readonly<Record<string, CredentialSet>>;

export type CredentialName = keyof typeof CREDENTIALS;

/** The names in a list such as `aws,kubernetes`. Throws a usage error on one that there is not. */
export function credentialNames(list: string): readonly CredentialName[] {
  return list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
    .map((name) => {
      if (Object.hasOwn(CREDENTIALS, name)) return name as CredentialName;
      throw new KilnError("usage", `there are no credentials called "${name}"`, {
        mend: `Name some of ${Object.keys(CREDENTIALS).join(", ")}.`,
      });
    });
}

package plandigest

import "slices"

// Variables that say how one logs in, and not to what: a later job, which applies what an earlier one planned, has other ones. They
// are what the executor takes from a machine as credentials (execution/module/credential-names.ts), and the tokens that services
// such as GitHub make for each job. What the tools encrypt with is none of them: another one would change what is written.
var loginVariables = []string{
	"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RUNTIME_TOKEN",
	"ARM_CLIENT_CERTIFICATE_PASSWORD", "ARM_CLIENT_CERTIFICATE_PATH", "ARM_CLIENT_SECRET",
	"ARM_OIDC_REQUEST_TOKEN", "ARM_OIDC_REQUEST_URL", "ARM_OIDC_TOKEN", "ARM_OIDC_TOKEN_FILE_PATH",
	"AWS_ACCESS_KEY_ID", "AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_ROLE_SESSION_NAME", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
	"AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE",
	"CI_JOB_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN",
	"GH_TOKEN", "GITHUB_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN",
	"KUBECONFIG", "KUBE_CLUSTER_CA_CERT_FILE", "KUBE_CONFIG_PATH", "KUBE_PASSWORD", "KUBE_TOKEN",
	"PULUMI_ACCESS_TOKEN", "TF_CLI_CONFIG_FILE", "TF_HTTP_PASSWORD", "VAULT_TOKEN",
}

// encryptionVariables are credentials to the executor, and no logins.
var encryptionVariables = []string{"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "TF_ENCRYPTION"}

// withoutLogin is never nil: no variables and none that count are the same.
func withoutLogin[V any](variables map[string]V) map[string]V {
	rest := map[string]V{}
	for name, value := range variables {
		if !slices.Contains(loginVariables, name) {
			rest[name] = value
		}
	}
	return rest
}

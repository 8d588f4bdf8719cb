package pulumitool

import (
	"net/url"
	"strings"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
)

// BackendURL is where the remote stacks of a job are: what its request says, or else its environment; empty where a login says it.
func BackendURL(job moduletool.Job) (string, error) {
	if job.Backend != nil {
		return backendURL(*job.Backend)
	}
	return value(job.Environment, "PULUMI_BACKEND_URL"), nil
}

// backendURL is the PULUMI_BACKEND_URL of a backend of the request. A config value "url" stands for itself.
func backendURL(b moduleprotocol.Backend) (string, error) {
	c := b.Config
	if c["url"] != "" {
		return c["url"], nil
	}
	query := url.Values{}
	put := func(parameter, name string) {
		if c[name] != "" {
			query.Set(parameter, c[name])
		}
	}
	var scheme, place, needed string
	switch b.Type {
	case "s3":
		scheme, place, needed = "s3", c["bucket"], "bucket"
		put("region", "region")
		put("endpoint", "endpoint")
		put("profile", "profile")
	case "gcs":
		scheme, place, needed = "gs", c["bucket"], "bucket"
	case "azurerm":
		container := c["container_name"]
		if container == "" {
			container = c["container"]
		}
		scheme, place, needed = "azblob", container, "container_name"
		put("storage_account", "storage_account_name")
	case "local", "file":
		scheme, place, needed = "file", c["path"], "path"
	default:
		return "", moduleprotocol.Fail(moduleprotocol.BadRequest,
			"$.backend.type: there is no %q for Pulumi: there are s3, gcs, azurerm, local, or any with config.url", b.Type)
	}
	if place == "" {
		return "", moduleprotocol.Fail(moduleprotocol.BadRequest, "$.backend.config.%s: is missing", needed)
	}
	address := scheme + "://" + place
	for _, name := range []string{"prefix", "key"} {
		if c[name] != "" && scheme != "file" {
			address += "/" + strings.Trim(c[name], "/")
			break
		}
	}
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address, nil
}

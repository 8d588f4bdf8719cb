package main

import (
	"os"
	"strings"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/pulumitool"
	"kiln.dev/programs/tofutool"
)

// moduleFolder is where the module is.
func moduleFolder() string {
	if folder := os.Getenv("KILN_MODULE_DIR"); folder != "" {
		return folder
	}
	return "/app"
}

// detectTool says which tool a module is for: what the image says, or else what the module's files say.
func detectTool(module string) (string, error) {
	switch tool := os.Getenv("KILN_MODULE_TOOL"); tool {
	case pulumitool.Name, tofutool.Name:
		return tool, nil
	case "tofu":
		return tofutool.Name, nil
	case "":
	default:
		return "", moduleprotocol.Fail(moduleprotocol.ModuleInvalid, "KILN_MODULE_TOOL is %q: there are pulumi and opentofu", tool)
	}
	project, isPulumi := pulumitool.ProjectFile(module)
	isTofu := tofutool.IsModule(module)
	switch {
	case isPulumi && isTofu:
		return "", moduleprotocol.Fail(moduleprotocol.ModuleInvalid,
			"%s has both %s and OpenTofu files: set KILN_MODULE_TOOL to pulumi or opentofu", module, project)
	case isPulumi:
		return pulumitool.Name, nil
	case isTofu:
		return tofutool.Name, nil
	default:
		return "", moduleprotocol.Fail(moduleprotocol.ModuleInvalid,
			"%s has neither a Pulumi.yaml nor *.tf or *.tofu files: no module is there", module)
	}
}

// stateMode is where the state is: as the request says, or where the request, the environment or the module points to a backend.
func stateMode(request moduleprotocol.Request, tool, module string, environment []string) (string, error) {
	switch {
	case request.StateMode != "":
		return request.StateMode, nil
	case request.Backend != nil && !request.Backend.Placeless():
		return moduleprotocol.Remote, nil
	case request.State != nil || request.Backend != nil:
		return moduleprotocol.Carried, nil
	case tool == pulumitool.Name:
		for _, entry := range environment {
			if url, found := strings.CutPrefix(entry, "PULUMI_BACKEND_URL="); found && url != "" {
				return moduleprotocol.Remote, nil
			}
		}
	default:
		declared, err := tofutool.DeclaredBackend(module)
		if err != nil {
			return "", err
		}
		if declared != "" && declared != "local" {
			return moduleprotocol.Remote, nil
		}
	}
	return moduleprotocol.Carried, nil
}

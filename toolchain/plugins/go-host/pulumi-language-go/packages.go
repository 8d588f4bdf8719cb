package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"golang.org/x/mod/modfile"
)

// module is what both `go list -m -json` and `go mod download -json` say of a module.
type module struct {
	Path, Version, Dir string
}

// pluginFile is the pulumi-plugin.json of a provider's SDK.
type pluginFile struct {
	Resource              bool
	Name, Version, Server string
	Parameterization      *parameterization
}

type parameterization struct {
	Name, Version string
	Value         []byte
}

func requiredPackages(ctx context.Context, directory string) ([]*pulumirpc.PackageDependency, error) {
	// Of the one module: a workspace would list all of its own.
	file, err := goOutput(ctx, directory, []string{"GOWORK=off"}, "list", "-m", "-f", "{{.GoMod}}")
	if err != nil {
		return nil, err
	}
	goMod := strings.TrimSpace(string(file))
	text, err := os.ReadFile(goMod)
	if err != nil {
		return nil, err
	}
	parsed, err := modfile.Parse(goMod, text, nil)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, require := range parsed.Require {
		paths = append(paths, require.Mod.Path)
	}
	modules, err := modulesWithSources(ctx, filepath.Dir(goMod), paths)
	if err != nil {
		return nil, err
	}
	var packages []*pulumirpc.PackageDependency
	for _, one := range modules {
		found, err := packageOf(one)
		if err != nil {
			return nil, err
		}
		if found != nil {
			packages = append(packages, found)
		}
	}
	return packages, nil
}

// modulesWithSources asks Go where the sources of modules stand, and has it download those that stand nowhere.
func modulesWithSources(ctx context.Context, root string, paths []string) ([]module, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	modules, err := goModules(ctx, root, append([]string{"list", "-m", "-json"}, paths...)...)
	if err != nil {
		return nil, err
	}
	vendor := filepath.Join(root, "vendor")
	isVendored := isDirectory(vendor)
	var missing []string
	for index, one := range modules {
		if one.Dir != "" {
			continue
		}
		if copied := filepath.Join(vendor, one.Path); isDirectory(copied) {
			modules[index].Dir = copied
		}
		missing = append(missing, one.Path)
	}
	if len(missing) == 0 || isVendored {
		return modules, nil
	}
	downloaded, err := goModules(ctx, root, append([]string{"mod", "download", "-json"}, missing...)...)
	return append(modules, downloaded...), err
}

func isDirectory(path string) bool {
	found, err := os.Stat(path)
	return err == nil && found.IsDir()
}

// packageOf is the provider that a module is the SDK of; nil where it is none.
func packageOf(one module) (*pulumirpc.PackageDependency, error) {
	if one.Dir == "" {
		return nil, nil
	}
	plugin, err := readPluginFile(one.Dir)
	if err != nil {
		return nil, err
	}
	official, isOfficial := strings.CutPrefix(one.Path, "github.com/pulumi/pulumi-")
	if (plugin == nil && !isOfficial) || (plugin != nil && !plugin.Resource) {
		return nil, nil
	}
	name, _, _ := strings.Cut(official, "/")
	found := &pulumirpc.PackageDependency{Kind: "resource", Name: name, Version: one.Version}
	if plugin == nil {
		return found, nil
	}
	if plugin.Name != "" {
		found.Name = plugin.Name
	}
	if plugin.Version != "" {
		found.Version = plugin.Version
	}
	found.Server = plugin.Server
	if base := plugin.Parameterization; base != nil {
		found.Parameterization = &pulumirpc.PackageParameterization{
			Name: base.Name, Version: base.Version, Value: base.Value,
		}
	}
	return found, nil
}

func readPluginFile(directory string) (*pluginFile, error) {
	for _, place := range []string{"", "go", "go/*", "*"} {
		files, err := filepath.Glob(filepath.Join(directory, place, "pulumi-plugin.json"))
		if err != nil || len(files) == 0 {
			continue
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			return nil, err
		}
		plugin := &pluginFile{}
		return plugin, json.Unmarshal(text, plugin)
	}
	return nil, nil
}

func goModules(ctx context.Context, directory string, arguments ...string) ([]module, error) {
	output, err := goOutput(ctx, directory, nil, arguments...)
	if err != nil {
		return nil, err
	}
	var modules []module
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var one module
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return modules, nil
		} else if err != nil {
			return nil, err
		}
		modules = append(modules, one)
	}
}

// goOutput is what a go command prints. Its messages are the engine's to show.
func goOutput(ctx context.Context, directory string, environment []string, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = directory
	command.Env = append(os.Environ(), environment...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(arguments[:min(3, len(arguments))], " "), err)
	}
	return output, nil
}

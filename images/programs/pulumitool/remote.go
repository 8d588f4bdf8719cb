package pulumitool

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// prepareRemote selects the stack, or makes it, in a folder that may be written: the CLI writes the stack's config file.
func (t *Tool) prepareRemote(ctx context.Context, own *string) error {
	if t.job.Backend != nil {
		url, err := backendURL(*t.job.Backend)
		if err != nil {
			return err
		}
		t.environment = append(t.environment, "PULUMI_BACKEND_URL="+url)
	}
	folder := filepath.Join(t.job.Room, "project")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	source, _ := ProjectFile(t.job.Module)
	text, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, filepath.Base(source)), text, 0o600); err != nil {
		return err
	}
	if *own != "" {
		if err := os.WriteFile(filepath.Join(folder, "Pulumi."+t.configName()+".yaml"), []byte(*own), 0o600); err != nil {
			return err
		}
	}
	arguments := []string{"-C", folder, "stack", "select", "--stack", t.job.Stack, "--non-interactive"}
	if t.job.Create {
		arguments = append(arguments, "--create")
		if provider := value(t.environment, "KILN_SECRETS_PROVIDER"); provider != "" {
			arguments = append(arguments, "--secrets-provider", provider)
		}
	}
	if _, err := t.query(ctx, arguments...); err != nil {
		return err
	}
	*own, err = readStackFile(folder, t.configName())
	return err
}

// configName is what the stack's config file is called after: organizations and projects are not in it.
func (t *Tool) configName() string { return t.job.Stack[strings.LastIndexByte(t.job.Stack, '/')+1:] }

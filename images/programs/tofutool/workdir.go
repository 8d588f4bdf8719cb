package tofutool

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kiln.dev/programs/moduleprotocol"
)

const (
	lockFile     = ".terraform.lock.hcl"
	overrideFile = "kiln_backend_override.tf.json"
)

// makeWorkdir makes a folder that OpenTofu sees as the module and may write into. The module itself may be read-only, and
// OpenTofu writes its lock file beside it, as modules do with what they write below path.module. Nothing is copied but that lock
// file: the rest are links. State and data of runs elsewhere stay out.
func makeWorkdir(module, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(module)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case name == ".terraform" || strings.HasPrefix(name, "terraform.tfstate") || name == overrideFile:
			continue
		case name == lockFile:
			text, err := os.ReadFile(filepath.Join(module, name))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
				return err
			}
		default:
			err := os.Symlink(filepath.Join(module, name), filepath.Join(folder, name))
			if err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
	}
	return nil
}

// linkModules gives a run the modules from elsewhere that were fetched when the image was built: their list has to stand in the
// run's data folder, which says where they are as seen from the working folder.
func linkModules(module, workdir, data string) error {
	fetched := filepath.Join(module, ".terraform", "modules")
	list, err := os.ReadFile(filepath.Join(fetched, "modules.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, folder := range []string{filepath.Join(workdir, ".terraform"), filepath.Join(data, "modules")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(data, "modules", "modules.json"), list, 0o600); err != nil {
		return err
	}
	return os.Symlink(fetched, filepath.Join(workdir, ".terraform", "modules"))
}

// overrideBackend puts a backend in the place of the one that a module declares. An override file keeps what may be secret in it
// off the command line.
func overrideBackend(folder string, backend moduleprotocol.Backend) error {
	config := backend.Config
	if config == nil {
		config = map[string]string{}
	}
	text, err := json.Marshal(map[string]any{
		"terraform": map[string]any{"backend": map[string]any{backend.Type: config}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, overrideFile), text, 0o600)
}

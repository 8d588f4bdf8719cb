package tofutool

import (
	"os"
	"path/filepath"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

func write(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWorkdir: OpenTofu may write beside a read-only module, and state of elsewhere does not get in.
func TestWorkdir(t *testing.T) {
	module, folder := t.TempDir(), filepath.Join(t.TempDir(), "module")
	write(t, module, map[string]string{"main.tf": "x", "sub/a.tf": "y", ".terraform.lock.hcl": "pins", ".terraform/x": "z",
		"terraform.tfstate": "{}", "terraform.tfstate.backup": "{}", "data.txt": "d"})
	if err := makeWorkdir(module, folder); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"main.tf", "sub/a.tf", "data.txt", ".terraform.lock.hcl"} {
		if _, err := os.ReadFile(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{".terraform", "terraform.tfstate", "terraform.tfstate.backup"} {
		if _, err := os.Lstat(filepath.Join(folder, name)); err == nil {
			t.Error(name, "is there")
		}
	}
	if err := os.WriteFile(filepath.Join(folder, ".terraform.lock.hcl"), []byte("more"), 0o600); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(filepath.Join(module, ".terraform.lock.hcl")); string(text) != "pins" {
		t.Error("the module was changed:", string(text))
	}
	if err := overrideBackend(folder, moduleprotocol.Backend{Type: "s3", Config: map[string]string{"bucket": "b"}}); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(folder, overrideFile))
	if info, _ := os.Stat(filepath.Join(folder, overrideFile)); string(text) != `{"terraform":{"backend":{"s3":{"bucket":"b"}}}}` || info.Mode().Perm() != 0o600 {
		t.Error(string(text))
	}
}

func TestDeclaredBackend(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"none":      {"main.tf", "terraform {\n  required_version = \"1\"\n}\n", ""},
		"block":     {"main.tf", "terraform {\n  backend \"s3\" {\n  }\n}\n", "s3"},
		"one line":  {"main.tofu", "terraform { backend \"gcs\" {} }\n", "gcs"},
		"cloud":     {"main.tf", "terraform {\n  cloud {\n  }\n}\n", "cloud"},
		"commented": {"main.tf", "terraform {\n  # backend \"s3\" {}\n  // cloud {\n  /* \n backend \"s3\" {\n*/ }\n", ""},
		"text":      {"main.tf", "locals { x = \"backend \\\"s3\\\" {\" }\n", ""},
		"unquoted":  {"main.tf", "terraform {\n  backend s3 {\n  }\n}\n", "s3"},
		// In texts nothing begins a comment, and in comments no text does.
		"glob":      {"main.tf", "locals { x = fileset(path.module, \"a/*.json\") }\nterraform {\n  backend \"s3\" {\n  }\n}\n", "s3"},
		"template":  {"main.tf", "locals {\n  x = \"a ${join(\"/*\", [\"}\"])} // b\"\n}\nterraform {\n  backend \"s3\" {}\n}\n", "s3"},
		"comment":   {"main.tf", "# it's \"/*\nterraform {\n  /* one */ backend \"s3\" {}\n}\n", "s3"},
		"heredoc":   {"main.tf", "locals {\n  x = <<-EOT\n    backend \"s3\" {\n    \"/*\n  EOT\n}\nterraform {\n  backend \"gcs\" {}\n}\n", "gcs"},
		"JSON":      {"main.tf.json", `{"terraform":[{"backend":[{"azurerm":{}}]}]}`, "azurerm"},
		"elsewhere": {"sub/main.tf", "terraform {\n  backend \"s3\" {\n", ""},
	} {
		module := t.TempDir()
		write(t, module, map[string]string{c.file: c.text})
		if got, err := DeclaredBackend(module); err != nil || got != c.want {
			t.Errorf("%s: %q %v; wanted %q", name, got, err, c.want)
		}
	}
	empty := t.TempDir()
	if IsModule(empty) {
		t.Error("nothing is no module")
	}
	write(t, empty, map[string]string{"a.tofu": ""})
	if !IsModule(empty) {
		t.Error("a.tofu is one")
	}
}

// TestModules: what the build fetched is found where the list of it says, and a module without any has no list.
func TestModules(t *testing.T) {
	module, folder, data := t.TempDir(), filepath.Join(t.TempDir(), "module"), t.TempDir()
	if err := linkModules(module, folder, data); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(folder); err == nil {
		t.Error("a folder was made for no modules")
	}
	write(t, module, map[string]string{".terraform/modules/modules.json": "list", ".terraform/modules/vpc/main.tf": "x"})
	if err := linkModules(module, folder, data); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(data, "modules/modules.json"), filepath.Join(folder, ".terraform/modules/vpc/main.tf")} {
		if _, err := os.ReadFile(name); err != nil {
			t.Error(err)
		}
	}
}

package serve

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// goCommand is how tests run the go command: with nothing of the caller's settings, and this program as GOCACHEPROG.
type goCommand struct {
	folder, cache string
	// role is what this program does as GOCACHEPROG; none where the go command reads its cache itself.
	role      string
	variables []string
}

func (c goCommand) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(runtime.GOROOT(), "bin/go"), args...)
	cmd.Dir = c.folder
	cmd.Env = append(withoutGo(os.Environ()), "GOCACHE="+c.cache, "GOFLAGS=", "GOENV=off", "GOWORK=off", "GOPROXY=off",
		"GOTOOLCHAIN=local", "CGO_ENABLED=0", "PWD="+c.folder)
	if c.role != "" {
		cmd.Env = append(cmd.Env, "GOCACHEPROG="+os.Args[0], roleVariable+"="+c.role)
	}
	cmd.Env = append(cmd.Env, c.variables...)
	return cmd
}

func (c goCommand) run(args ...string) error {
	_, err := c.output(args...)
	return err
}

// output returns standard output; an error has what the go command said.
func (c goCommand) output(args ...string) (string, error) {
	cmd := c.command(args...)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, problem.String())
	}
	return out.String(), nil
}

func withoutGo(environment []string) []string {
	var kept []string
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "GO") && !strings.HasPrefix(variable, "KILN_") && !strings.HasPrefix(variable, "CGO_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

func goEnvironment(name string) (string, error) {
	out, err := exec.Command(filepath.Join(runtime.GOROOT(), "bin/go"), "env", name).Output()
	return strings.TrimSpace(string(out)), err
}

// execute runs a program that was built and returns what it prints.
func (c goCommand) execute(program string) (string, error) {
	cmd := exec.Command(program)
	cmd.Dir = c.folder
	out, err := cmd.Output()
	return string(out), err
}

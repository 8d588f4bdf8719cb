package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// findExecutable looks for a prebuilt program where the official host does and in its order: in the current directory, in
// the bin folder of each GOPATH, on PATH. It follows no link, so the program is called by the name that it was looked for
// by (sdk/go/common/util/executable, whose own dependencies are more than the rest of this program).
func findExecutable(program string) (string, error) {
	current, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("unable to get current working directory: %w", err)
	}
	folders := []string{current}
	if goPath := os.Getenv("GOPATH"); goPath != "" {
		for _, folder := range filepath.SplitList(goPath) {
			folders = append(folders, filepath.Join(folder, "bin"))
		}
	}
	for _, folder := range folders {
		candidate := filepath.Join(folder, program)
		info, err := os.Stat(candidate)
		if err != nil && !os.IsNotExist(err) {
			return "", err
		}
		if err == nil && !info.IsDir() {
			return candidate, nil
		}
	}
	if found, err := exec.LookPath(program); err == nil {
		return found, nil
	}
	return "", fmt.Errorf("unable to find program: %s", program)
}

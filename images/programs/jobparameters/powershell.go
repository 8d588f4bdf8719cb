package jobparameters

import (
	_ "embed" // for the wrapper
	"fmt"
	"os"
	"path/filepath"
)

//go:embed start.ps1
var wrapper []byte

// PowerShell writes the wrapper that starts a script with its parameters, and returns the arguments of pwsh. Nothing of a
// parameter is in them: the wrapper reads the file and splats a hashtable.
func (p *Parameters) PowerShell(folder, script, file string) ([]string, error) {
	start := filepath.Join(folder, "start.ps1")
	if err := os.WriteFile(start, wrapper, 0o400); err != nil {
		return nil, fmt.Errorf("write the start of the script: %w", err)
	}
	return []string{"-NoLogo", "-NoProfile", "-NonInteractive", "-File", start, script, file}, nil
}

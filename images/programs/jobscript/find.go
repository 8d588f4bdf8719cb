// Package jobscript finds the script of a job: in a folder that is mounted, or in a repository at one commit.
package jobscript

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"kiln.dev/programs/jobprotocol"
)

// Languages, which are also what result.json calls them.
const (
	Python     = "python"
	PowerShell = "powershell"
)

var extensions = []struct{ name, language string }{{".py", Python}, {".ps1", PowerShell}}

// Script is a script that can be started.
type Script struct {
	Path, Language, SHA256 string
	// Schema of its parameters; nil where it has none.
	Schema []byte
}

// A segment begins with what is neither a hidden file nor an option.
var id = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$`)

const (
	longestID     = 200
	largestScript = 64 << 20
	largestSchema = 1 << 20
)

// CheckID refuses what is no plain path below the folder of scripts.
func CheckID(script string) error {
	if len(script) > longestID || !id.MatchString(script) {
		return jobprotocol.Fail(jobprotocol.BadRequest,
			"SCRIPT_ID is %q: it has to be the path of a script without its extension, of letters, digits and ._-, with no part that begins with . or -", script)
	}
	return nil
}

// Find returns the script of that name below a folder. A link that leads out of the folder is refused, wherever on the way it is.
func Find(folder, script string) (Script, error) {
	if err := CheckID(script); err != nil {
		return Script{}, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return Script{}, missing(folder, script, err)
	}
	defer root.Close()
	var found Script
	for _, extension := range extensions {
		name := script + extension.name
		switch content, err := readBelow(root, name, largestScript); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return Script{}, jobprotocol.Fail(jobprotocol.ScriptRefused, "%s: %v", filepath.Join(folder, name), err)
		case bytes.HasPrefix(content, []byte("version https://git-lfs.github.com/spec/")):
			return Script{}, jobprotocol.Fail(jobprotocol.ScriptRefused, "%s is a pointer of Git LFS: scripts have to be in the repository itself", name)
		case found.Path != "":
			return Script{}, jobprotocol.Fail(jobprotocol.ScriptAmbiguous, "there are both %s.py and %s.ps1 in %s: one name is one script", script, script, folder)
		default:
			sum := sha256.Sum256(content)
			found = Script{Path: filepath.Join(folder, name), Language: extension.language, SHA256: hex.EncodeToString(sum[:])}
		}
	}
	if found.Path == "" {
		return Script{}, missing(folder, script, nil)
	}
	found.Schema, err = readBelow(root, script+".schema.json", largestSchema)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Script{}, jobprotocol.Fail(jobprotocol.ScriptRefused, "%s.schema.json: %v", script, err)
	}
	return found, nil
}

func missing(folder, script string, cause error) error {
	why := ""
	if cause != nil && !errors.Is(cause, fs.ErrNotExist) {
		why = fmt.Sprintf(" (%v)", cause)
	}
	return jobprotocol.Fail(jobprotocol.ScriptMissing,
		"there is no %s.py and no %s.ps1 in %s%s: mount the scripts there, or name a repository in SCRIPT_REPO and its commit in SCRIPT_REF", script, script, folder, why)
}

func readBelow(root *os.Root, name string, most int64) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no plain file")
	}
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("it is larger than %d bytes", most)
	}
	return content, err
}

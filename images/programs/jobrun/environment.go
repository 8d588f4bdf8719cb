package jobrun

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kiln.dev/programs/jobparameters"
	"kiln.dev/programs/jobscript"
	"kiln.dev/programs/room"
)

// Variables that say how the job is run: a script has no use for them, or gets them in another form.
var withheld = []string{"PARAMETERS", "PARAMETERS_FILE", "SCRIPT_REPO", "SCRIPT_REF", "RESULT_URL", "ARTIFACTS_DIR", "JOB_ATTEMPT"}

// environment is the script's: the image's and the caller's, its parameters, and what is secret.
func (j *job) environment(passed jobparameters.Passed) ([]string, error) {
	// Before all others, so that an image or a caller can say something else.
	environment := []string{"USER=kiln", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.Contains(withheld, name) && !strings.HasPrefix(name, "KILN_") && !strings.HasPrefix(name, "VAULT_") {
			environment = append(environment, entry)
		}
	}
	home, err := j.home()
	if err != nil {
		return nil, err
	}
	environment = append(environment, home...)
	if j.script.Language == jobscript.PowerShell {
		environment = append(environment, "POWERSHELL_TELEMETRY_OPTOUT=1", "POWERSHELL_UPDATECHECK=Off",
			"PSModuleAnalysisCachePath="+filepath.Join(j.room.Path, "module-analysis"))
	}
	for _, name := range slices.Sorted(maps.Keys(j.channel.Environment)) {
		environment = append(environment, name+"="+j.channel.Environment[name])
	}
	for _, name := range slices.Sorted(maps.Keys(j.channel.Files)) {
		file := j.channel.Files[name]
		path, err := j.writeSecret("files", name, file.Name, file.Content)
		if err != nil {
			return nil, err
		}
		environment = append(environment, name+"="+path)
	}
	environment = append(environment, j.borrowed.environment...)
	environment = append(environment, passed.Environment...)
	return append(environment, "KILN_PARAMETERS_FILE="+passed.File, "ARTIFACTS_DIR="+j.folders.artifacts,
		"JOB_ATTEMPT="+strconv.Itoa(j.settings.Attempt)), nil
}

// home is a folder that can be written, where the image's cannot: with a read-only root, or for a uid that the image lacks. It is
// beside the script's own: the room of secrets is in memory, and may be too small for what tools install and cache.
func (j *job) home() ([]string, error) {
	if home := os.Getenv("HOME"); home != "" && home != "/" && room.Writable(home) {
		return nil, nil
	}
	return []string{"HOME=" + j.folders.home}, os.Mkdir(j.folders.home, 0o700)
}

// writeSecret writes a file into the room, for this user alone, and returns its path.
func (j *job) writeSecret(kind, variable, name string, content []byte) (string, error) {
	folder := filepath.Join(j.room.Path, kind, variable)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(folder, name)
	return path, os.WriteFile(path, content, 0o400)
}

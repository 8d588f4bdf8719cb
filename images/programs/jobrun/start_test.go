package jobrun

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEnvironment: the script has what it needs to know, and not how it is run.
func TestEnvironment(t *testing.T) {
	c := newContainer(t, "pwd; env; echo \"$@\"; cat $KILN_PARAMETERS_FILE; ls -a\n")
	c.set(`PARAMETERS={"name":"$(id); rm -rf /","count":2}`, "OWN=1", "HOME=/proc")
	o := c.expect("succeeded", "", 0)
	for _, want := range []string{
		filepath.Join(c.root, "work/.kiln-job/work") + "\n", "JOB_ID=job-1\n", "SCRIPT_ID=script\n", "JOB_ATTEMPT=1\n", "OWN=1\n", "PARAM_COUNT=2\n",
		"PARAM_NAME=$(id); rm -rf /\n", "--name=$(id); rm -rf / --count=2\n", `{"name":"$(id); rm -rf /","count":2}`, "HOME=" + filepath.Join(c.root, "work", ownFolder, "home"),
		"ARTIFACTS_DIR=" + filepath.Join(c.root, "work/artifacts") + "\n", "PYTHONUNBUFFERED=1\n",
	} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("there is no %q", want)
		}
	}
	for _, unwanted := range []string{"\nPARAMETERS=", "KILN_GRACE", "KILN_OUTPUT_DIR", "KILN_SECRETS"} {
		if strings.Contains(o.stdout, unwanted) {
			t.Error(unwanted)
		}
	}
}

// TestReadOnly: where the work folder cannot be written, the script works in the temporary one; where the output cannot, that is
// said.
func TestReadOnly(t *testing.T) {
	c := newContainer(t, "pwd\n")
	c.set("KILN_WORK_DIR=/proc/none", "TMPDIR="+t.TempDir())
	if o := c.expect("succeeded", "", 0); !strings.Contains(o.stdout, "kiln-job/.kiln-job/work") {
		t.Error(o.stdout)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"KILN_TEST_JOB=1", "JOB_ID=x", "KILN_OUTPUT_DIR=/proc/none"}
	if said, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(string(said), "kiln-entrypoint: ") {
		t.Errorf("%s %v", said, err)
	}
}

// TestEvents: with KILN_EVENTS, standard output is the events and nothing else.
func TestEvents(t *testing.T) {
	c := newContainer(t, "printf 'a\\000\\377\\n'; echo b >&2\n")
	c.set("KILN_EVENTS=1")
	o := c.expect("succeeded", "", 0)
	if o.stdout != c.read("output/events.ndjson") || o.stderr != "" || c.read("output/stdout.log") != "a\x00\xff\n" {
		t.Error(o.stdout, o.stderr)
	}
	for line := range strings.Lines(o.stdout) {
		if !json.Valid([]byte(line)) {
			t.Error(line)
		}
	}
}

// TestHostileScript: a script that replaces everything in the output folder gets no other file written, and its result is there.
func TestHostileScript(t *testing.T) {
	c := newContainer(t, `cd "$(dirname "$ARTIFACTS_DIR")/../output" && rm -rf * && ln -s ../victim result.json && ln -s ../victim result.json.part && ln -s .. artifacts
ln -s ../victim stdout.log; rm -rf $ARTIFACTS_DIR; ln -s / $ARTIFACTS_DIR; echo done
`)
	c.write("victim", "untouched")
	o := c.expect("succeeded", "", 0)
	if c.read("victim") != "untouched" || c.read("output/stdout.log") != "done\n" || len(o.result.Artifacts) != 0 {
		t.Error(c.read("victim"), o.result.Artifacts)
	}
	if info, err := os.Lstat(filepath.Join(c.root, "output/artifacts")); err != nil || !info.IsDir() {
		t.Error(info, err)
	}
}

// TestPython: a real Python gets every type by argparse, and hostile values byte by byte.
func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 here")
	}
	c := newContainer(t, `
import argparse, json, os
parser = argparse.ArgumentParser()
for name in ("text", "hostile", "dash", "nul-file", "long-file"): parser.add_argument("--" + name)
for name in ("count", "ratio", "on", "off", "list", "map"): parser.add_argument("--" + name, type=json.loads)
parser.add_argument("--none", default="left out")
given = vars(parser.parse_args())
given["nul"] = open(given.pop("nul_file"), encoding="utf8", newline="").read()
given["long"] = len(open(given.pop("long_file")).read())
given["same"] = os.environ["PARAM_HOSTILE"] == given["hostile"]
given["document"] = json.load(open(os.environ["KILN_PARAMETERS_FILE"]))["ratio"]
print(json.dumps(given, sort_keys=True))
`)
	must(t, os.Remove(filepath.Join(c.bin, "python3")))
	must(t, os.Symlink(python, filepath.Join(c.bin, "python3")))
	hostile := "; rm -rf / $(touch x) `id` \"'\\\n--upload-pack=x é😀"
	parameters, err := json.Marshal(map[string]any{
		"text": "", "hostile": hostile, "dash": "--help", "count": -7, "ratio": 1.5, "on": true, "off": false, "none": nil,
		"list": []any{1, "x", nil}, "map": map[string]any{"a": map[string]any{}}, "nul": "a\x00b\r\n", "long": strings.Repeat("x", 200<<10),
	})
	must(t, err)
	c.write("parameters.json", string(parameters))
	c.set("PARAMETERS_FILE="+filepath.Join(c.root, "parameters.json"), "PATH="+c.bin+":"+os.Getenv("PATH"), "HOME="+os.Getenv("HOME"))
	o := c.expect("succeeded", "", 0)
	var got map[string]any
	must(t, json.Unmarshal([]byte(o.stdout), &got))
	text, _ := json.Marshal(got)
	want, _ := json.Marshal(map[string]any{
		"text": "", "hostile": hostile, "dash": "--help", "count": -7, "ratio": 1.5, "on": true, "off": false, "none": "left out",
		"list": []any{1, "x", nil}, "map": map[string]any{"a": map[string]any{}}, "nul": "a\x00b\r\n", "long": 200 << 10, "same": true, "document": 1.5,
	})
	if string(text) != string(want) {
		t.Errorf("%s\n%s", text, want)
	}
}

func TestMemoryKills(t *testing.T) {
	for text, want := range map[string]int{
		"low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 0\n": 2, "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n": 1, "": 0, "oom_kill x\n": 0,
	} {
		if got := killsIn(text); got != want {
			t.Errorf("%q: %d", text, got)
		}
	}
}

// TestPowerShell: a real PowerShell gets every type by its own, hostile values as text, and its exit codes are kept.
func TestPowerShell(t *testing.T) {
	pwsh, err := exec.LookPath("pwsh")
	if err != nil {
		t.Skip("there is no pwsh here")
	}
	c := newContainer(t, "")
	must(t, os.Remove(filepath.Join(c.root, "scripts/script.py")))
	must(t, os.Symlink(pwsh, filepath.Join(c.bin, "pwsh")))
	c.write("scripts/script.ps1", `param([string] $Hostile, $Count, $Ratio, [switch] $On, [switch] $Off, $None, $List, $One, $Map, $Date)
@($Hostile, $Count.GetType().Name, $Ratio.GetType().Name, $On.IsPresent, $Off.IsPresent, ($null -eq $None), $List.Count, $One.GetType().Name, $Map.a.b, $Date.GetType().Name) |
    ConvertTo-Json -Compress
/bin/sh -c 'exit 7'
'not reached'
`)
	hostile := "; rm -rf / $(id) `n \"'\n-On"
	parameters, err := json.Marshal(map[string]any{
		"Hostile": hostile, "Count": 2, "Ratio": 1.5, "On": true, "Off": false, "None": nil, "List": []int{1, 2}, "One": []int{1},
		"Map": map[string]any{"a": map[string]any{"b": "deep"}}, "Date": "2026-01-31T12:00:00Z",
	})
	must(t, err)
	c.set("PARAMETERS="+string(parameters), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
	o := c.expect("failed", "script_failed", 7)
	var got []any
	must(t, json.Unmarshal([]byte(strings.SplitN(o.stdout, "\n", 2)[0]), &got))
	text, _ := json.Marshal(got)
	want, _ := json.Marshal([]any{hostile, "Int64", "Double", true, false, true, 2, "Object[]", "deep", "String"})
	if string(text) != string(want) || strings.Contains(o.stdout, "not reached") {
		t.Errorf("%s\n%s", text, o.stdout)
	}
}

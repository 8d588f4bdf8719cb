package jobrun

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiln.dev/programs/jobprotocol"
)

const leave = "echo kept > $ARTIFACTS_DIR/kept.txt\n"

func hasArtifact(t *testing.T, c *container, o outcome) {
	t.Helper()
	if len(o.result.Artifacts) != 1 || o.result.Artifacts[0].Name != "kept.txt" || c.read("output/artifacts/kept.txt") != "kept\n" {
		t.Errorf("%+v", o.result.Artifacts)
	}
}

// TestEndings: however a script ends, the status says so, its exit code is kept, and so is what it left.
func TestEndings(t *testing.T) {
	for name, e := range map[string]struct {
		script, set, status, code string
		exit, scriptCode          int
	}{
		"success":        {"echo fine", "", "succeeded", "", 0, 0},
		"failure":        {"echo bad >&2; exit 3", "", "failed", jobprotocol.ScriptFailed, 3, 3},
		"signal":         {"kill -SEGV $$", "", "failed", jobprotocol.ScriptKilled, 139, 139},
		"script timeout": {"sleep 30", "KILN_SCRIPT_TIMEOUT=0.3", "timed_out", jobprotocol.ScriptTimeout, 124, 143},
		"idle timeout":   {"echo a; sleep 30", "KILN_IDLE_TIMEOUT=0.3", "timed_out", jobprotocol.IdleTimeout, 124, 143},
		"job timeout":    {"sleep 30", "KILN_JOB_TIMEOUT=2", "timed_out", jobprotocol.JobTimeout, 124, 143},
		"deaf":           {"trap '' TERM; while :; do sleep 0.1; done", "KILN_SCRIPT_TIMEOUT=0.3", "timed_out", jobprotocol.ScriptTimeout, 124, 137},
		"own end":        {"trap 'exit 5' TERM; while :; do sleep 0.1; done", "KILN_SCRIPT_TIMEOUT=0.3", "timed_out", jobprotocol.ScriptTimeout, 124, 5},
		"disk":           {"head -c 3000000 /dev/zero > big; sync big; sleep 30", "KILN_DISK_BYTES=1000000", "failed", jobprotocol.DiskLimit, 1, 137},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, leave+e.script+"\n")
			if e.set != "" {
				c.set(e.set)
			}
			o := c.expect(e.status, e.code, e.exit)
			hasArtifact(t, c, o)
			if o.result.ExitCode == nil || *o.result.ExitCode != e.scriptCode || o.took > 15*time.Second {
				t.Error(o.result.ExitCode, o.took)
			}
			if e.code != "" && o.result.Detail.Phase != jobprotocol.Executing {
				t.Error(o.result.Detail.Phase)
			}
		})
	}
}

// TestFullOutput: the folder of the result, which the script can write too, is no way around the limit.
func TestFullOutput(t *testing.T) {
	t.Parallel()
	c := newContainer(t, leave+"cd \"$(dirname \"$ARTIFACTS_DIR\")/../output\"; head -c 8000000 /dev/zero > big; sync big; sleep 30\n")
	c.set("KILN_DISK_BYTES=1000000", "KILN_OUTPUT_BYTES=100000")
	c.expect("failed", jobprotocol.DiskLimit, 1)
}

func TestCancel(t *testing.T) {
	for signal, exit := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130, syscall.SIGHUP: 129, syscall.SIGQUIT: 131} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, leave+"echo ready; sleep 30\n")
			s := c.start()
			s.signal(signal)
			hasArtifact(t, c, s.expect("canceled", jobprotocol.Canceled, exit))
		})
	}
}

// TestWholeGroup: what the script started ends with it, deaf or in a session of its own.
func TestWholeGroup(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "(trap '' TERM; sleep 60) & echo $! > $PIDS\nsetsid sleep 60 & echo $! >> $PIDS\necho ready; wait\n")
	c.set("PIDS=" + filepath.Join(c.root, "pids"))
	s := c.start()
	s.signal(syscall.SIGTERM)
	if o := s.expect("canceled", jobprotocol.Canceled, 143); o.took > 10*time.Second {
		t.Error(o.took)
	}
	if len(strings.Fields(c.read("pids"))) != 2 {
		t.Fatal(c.read("pids"))
	}
	for _, pid := range strings.Fields(c.read("pids")) {
		if stat, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil && !strings.Contains(string(stat), ") Z ") {
			t.Error(pid, "is still there")
		}
	}
}

// TestLeftBehind: a job that a script started and did not wait for ends by itself, and its last words are in the log.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "(trap 'echo tidied; exit' TERM; echo ready; while :; do sleep 0.05; done) &\nsleep 0.3; exit 4\n")
	o := c.expect("failed", jobprotocol.ScriptFailed, 4)
	if !strings.Contains(c.read("output/stdout.log"), "tidied") || o.took > 10*time.Second {
		t.Error(o.took, c.read("output/stdout.log"))
	}
}

// TestEndedInTime: a script that ended in time did, whatever is over while a deaf one that it left behind has its two seconds.
func TestEndedInTime(t *testing.T) {
	deaf := "(trap '' TERM; sleep 60) &\n"
	for name, e := range map[string]struct {
		set, end, status, code string
		exit                   int
	}{
		"script timeout": {"KILN_SCRIPT_TIMEOUT=1.5", "exit 0", "succeeded", "", 0},
		"idle timeout":   {"KILN_IDLE_TIMEOUT=1.5", "exit 0", "succeeded", "", 0},
		"failure":        {"KILN_SCRIPT_TIMEOUT=1.5", "exit 3", "failed", jobprotocol.ScriptFailed, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, leave+deaf+e.end+"\n")
			c.set(e.set, "KILN_GRACE_SECONDS=10")
			o := c.expect(e.status, e.code, e.exit)
			hasArtifact(t, c, o)
			// Or nothing was over before the script's end was judged.
			if o.took < 2*time.Second {
				t.Error(o.took)
			}
		})
	}
	t.Run("signal", func(t *testing.T) {
		t.Parallel()
		c := newContainer(t, deaf+"exit 0\n")
		c.set("KILN_GRACE_SECONDS=10", "KILN_EVENTS=1")
		s := c.start()
		for range 1000 {
			if strings.Contains(s.out.String(), "the program has ended") {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		must(t, s.cmd.Process.Signal(syscall.SIGTERM))
		s.expect("succeeded", "", 0)
	})
}

// TestKilled: who reads the result of an entrypoint that was killed sees that the job did not end.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := newContainer(t, "echo ready; sleep 5\n").start()
	s.ready()
	must(t, s.cmd.Process.Kill())
	if r := s.wait().result; r.Status != jobprotocol.Running || r.Phase != jobprotocol.Executing || r.FinishedAt != nil {
		t.Errorf("%+v", r)
	}
}

// TestFullDisk: a script that fills the disk of its own result has one all the same.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	c := newContainer(t, leave+"cat /dev/zero > big; cat /dev/zero > $ARTIFACTS_DIR/zeros; yes\n")
	disk := filepath.Join(c.root, "disk")
	must(t, os.Mkdir(disk, 0o700))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Skip("no small disk can be mounted here:", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
	c.set("KILN_WORK_DIR="+disk, "KILN_OUTPUT_DIR="+disk+"/output", "KILN_SCRIPT_TIMEOUT=1", "KILN_OUTPUT_BYTES=1000000")
	must(t, os.RemoveAll(filepath.Join(c.root, "output")))
	must(t, os.Symlink(disk+"/output", filepath.Join(c.root, "output")))
	o := c.expect("timed_out", jobprotocol.ScriptTimeout, 124)
	if !strings.Contains(strings.Join(o.result.Notes, "\n"), "stdout.log ends") || o.result.Output == nil || len(o.result.Artifacts) == 0 {
		t.Errorf("%+v", o.result)
	}
}

func TestBadRequests(t *testing.T) {
	c := newContainer(t, "echo ran\n")
	c.write("scripts/both.py", "")
	c.write("scripts/both.ps1", "")
	c.write("scripts/shell.ps1", "")
	c.write("scripts/strict.py", "echo $PARAM_PORT\n")
	c.write("scripts/strict.schema.json", `{"required":["host"],"properties":{"host":{"type":"string"},"port":{"type":"integer","default":22}}}`)
	c.write("scripts/broken.py", "")
	c.write("scripts/broken.schema.json", `{"oneOf":[]}`)
	c.write("parameters.json", `{"host":"file"}`)
	for _, e := range []struct {
		set  []string
		code string
		exit int
	}{
		{[]string{"JOB_ID="}, jobprotocol.BadRequest, 2},
		{[]string{"JOB_ID=../x"}, jobprotocol.BadRequest, 2},
		{[]string{"SCRIPT_ID="}, jobprotocol.BadRequest, 2},
		{[]string{"SCRIPT_ID=../scripts/script"}, jobprotocol.BadRequest, 2},
		{[]string{"SCRIPT_ID=none"}, jobprotocol.ScriptMissing, 2},
		{[]string{"SCRIPT_ID=both"}, jobprotocol.ScriptAmbiguous, 2},
		{[]string{"SCRIPT_ID=shell"}, jobprotocol.InterpreterMissing, 1},
		{[]string{"SCRIPT_ID=strict"}, jobprotocol.BadParameters, 2},
		{[]string{"SCRIPT_ID=broken"}, jobprotocol.BadParameters, 2},
		{[]string{"SCRIPT_ID=strict", "PARAMETERS_FILE=" + filepath.Join(c.root, "parameters.json")}, "", 0},
		{[]string{"PARAMETERS={"}, jobprotocol.BadParameters, 2},
		{[]string{"PARAMETERS_FILE=/no/such/file"}, jobprotocol.BadParameters, 2},
		{[]string{"PARAMETERS={}", "PARAMETERS_FILE=/x"}, jobprotocol.BadRequest, 2},
		{[]string{"SCRIPT_REPO=https://x/y"}, jobprotocol.BadRequest, 2},
		{[]string{"SCRIPT_REPO=https://x/y", "SCRIPT_REF=main"}, jobprotocol.BadRequest, 2},
		{[]string{"SCRIPT_REPO=file:///none", "SCRIPT_REF=" + strings.Repeat("a", 40)}, jobprotocol.FetchFailed, 1},
		{[]string{"KILN_SCRIPT_TIMEOUT=soon"}, jobprotocol.BadRequest, 2},
		{[]string{"KILN_IDLE_TIMEOUT=-1"}, jobprotocol.BadRequest, 2},
		{[]string{"KILN_GRACE_SECONDS=NaN"}, jobprotocol.BadRequest, 2},
		{[]string{"KILN_SECRETS=disk"}, jobprotocol.BadRequest, 2},
		{[]string{"KILN_GIT_PROTOCOLS=ext"}, jobprotocol.BadRequest, 2},
		{[]string{"RESULT_URL=ftp://x"}, jobprotocol.BadRequest, 2},
		{[]string{"KILN_VAULT={}"}, jobprotocol.BadRequest, 2},
	} {
		c.environment = e.set
		status := "failed"
		if e.code == "" {
			status = "succeeded"
		}
		if o := c.expect(status, e.code, e.exit); e.code != "" && (o.result.ExitCode != nil || !strings.Contains(o.stderr, e.code)) {
			t.Errorf("%v: %v %s", e.set, o.result.ExitCode, o.stderr)
		}
	}
}

// TestSchema: the results and events of real jobs have the fields that their schemas name.
func TestSchema(t *testing.T) {
	c := newContainer(t, leave+"echo out; echo err >&2; ln -s /etc x; mv x $ARTIFACTS_DIR/out\nexit 1\n")
	c.complete()
	for file, schema := range map[string]string{"result.json": "job-result", "events.ndjson": "job-event"} {
		known := schemaOf(t, schema)
		for line := range strings.SplitSeq(strings.TrimSpace(documents(c.read("output/"+file))), "\x00") {
			var document map[string]any
			must(t, json.Unmarshal([]byte(line), &document))
			for name := range document {
				if !strings.Contains(known, `"`+name+`":`) {
					t.Errorf("%s is not in the schema of %s", name, file)
				}
			}
		}
	}
}

func documents(text string) string {
	if strings.HasPrefix(text, "{\n") {
		return text
	}
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\x00")
}

func schemaOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../execution/job/schema", name+".schema.json"))
	if err != nil {
		t.Skip("the schemas are not beside the programs:", err)
	}
	return string(text)
}

package jobrun

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kiln.dev/programs/joboutput"
	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/redact"
	"kiln.dev/programs/removal"
)

// report keeps result.json whole at every moment.
type report struct {
	path     string
	record   *joboutput.Record
	redactor *redact.Redactor
	result   jobprotocol.Result
	entered  time.Time
}

func newReport(s jobprotocol.Settings, started time.Time, record *joboutput.Record, redactor *redact.Redactor) *report {
	return &report{path: filepath.Join(s.Output, "result.json"), record: record, redactor: redactor, entered: started, result: jobprotocol.Result{
		APIVersion: jobprotocol.Version, JobID: s.JobID, Attempt: s.Attempt, ScriptID: s.ScriptID, Status: jobprotocol.Running,
		StartedAt: stamp(started), Artifacts: []jobprotocol.Artifact{}, Timings: map[string]float64{},
	}}
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// enter writes that a phase begins.
func (r *report) enter(phase string) error {
	now := time.Now()
	if before := r.result.Phase; before != "" {
		r.result.Timings[before] = float64(now.Sub(r.entered).Milliseconds()) / 1000
	}
	r.entered, r.result.Phase = now, phase
	r.record.Phase(phase)
	return r.write()
}

func (r *report) setScript(script *jobprotocol.Script) { r.result.Script = script }

func (r *report) setArtifacts(kept []jobprotocol.Artifact, refused []jobprotocol.Refusal) {
	r.result.Artifacts, r.result.Refused = kept, refused
}

func (r *report) setOutput(output jobprotocol.Output) { r.result.Output = &output }

// finish writes how the job ended. A failure is of the phase that it happened in, which is the one before collecting.
func (r *report) finish(failure *jobprotocol.Failure, code *int) error {
	finished := stamp(time.Now())
	r.result.Status, r.result.ExitCode, r.result.FinishedAt = jobprotocol.Succeeded, code, &finished
	if failure != nil {
		// Foreign text may be in it: a schema's, a server's, Git's.
		failure.Message = joboutput.Printable(r.redactor.String(failure.Message))
		failure.Phase = r.failedIn()
		r.result.Status, r.result.Error, r.result.Detail = jobprotocol.StatusOf(failure), failure.Message, failure
	}
	r.record.Summary(r.result.Status, code, r.result.Error)
	return r.enter(jobprotocol.Done)
}

// failedIn is the last phase before what is done on every ending.
func (r *report) failedIn() string {
	last := jobprotocol.Starting
	for _, phase := range []string{jobprotocol.Fetching, jobprotocol.Secrets, jobprotocol.Executing} {
		if _, entered := r.result.Timings[phase]; entered {
			last = phase
		}
	}
	return last
}

// document is the result as JSON, without secrets.
func (r *report) document() ([]byte, error) {
	r.result.Notes = r.record.Notes()
	text, err := json.Marshal(r.result)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, r.redactor.JSON(text), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// write replaces the file: a reader sees one whole document or another. The new one is made where nothing is: the script, which
// may write here, could have put a link there.
func (r *report) write() error {
	text, err := r.document()
	if err != nil {
		return err
	}
	part := r.path + ".part"
	if err := removal.All(part); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	_, err = file.Write(text)
	if r.result.Phase == jobprotocol.Done {
		// What comes before is of no use after a crash of the machine, and syncing takes longer than all else here.
		err = errors.Join(err, file.Sync())
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = r.replace(part)
	}
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

func (r *report) replace(part string) error {
	if there, err := os.Lstat(r.path); err == nil && there.IsDir() {
		if err := removal.All(r.path); err != nil {
			return err
		}
	}
	return os.Rename(part, r.path)
}

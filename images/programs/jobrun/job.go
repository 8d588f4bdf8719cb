package jobrun

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kiln.dev/programs/jobartifacts"
	"kiln.dev/programs/joboutput"
	"kiln.dev/programs/jobparameters"
	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/jobscript"
	"kiln.dev/programs/redact"
	"kiln.dev/programs/room"
)

// job is one job, from its environment to its result.
type job struct {
	started        time.Time
	stdin          io.Reader
	stdout, stderr io.Writer
	redactor       *redact.Redactor
	settings       jobprotocol.Settings
	channel        jobprotocol.Channel
	record         *joboutput.Record
	report         *report
	room           *room.Room
	folders        folders
	script         jobscript.Script
	parameters     *jobparameters.Parameters
	borrowed       borrowed
}

// run completes the job. The error is about the result only, where none can be written.
func (j *job) run(base context.Context) (int, error) {
	settings, wrong := jobprotocol.ReadSettings(os.Getenv)
	j.settings = settings
	if err := os.MkdirAll(settings.Output, 0o755); err != nil {
		return 0, err
	}
	output := openOutput(settings.Output)
	if err := takeReserve(settings.Output); err != nil {
		return 0, err
	}
	record, err := joboutput.Open(joboutput.Options{
		Folder: settings.Output, Redactor: j.redactor, Limit: settings.OutputBytes,
		Stdout: j.stdout, Stderr: j.stderr, EventsOnStdout: settings.EventsOnStdout,
	})
	if err != nil {
		return 0, err
	}
	j.record = record
	j.report = newReport(settings, j.started, record, j.redactor)
	if err := j.report.enter(jobprotocol.Starting); err != nil {
		return 0, err
	}
	var code *int
	if wrong == nil {
		code, wrong = j.complete(base)
	}
	failure, exit := verdict(base, code, wrong)
	output.restore()
	finishing, cancel := j.finishing(base)
	defer cancel()
	j.finish(finishing)
	err = j.report.finish(failure, code)
	j.printFailure(failure)
	if err == nil {
		err = j.post(finishing)
	}
	return exit, errors.Join(err, record.Close())
}

// complete prepares and runs the script. It returns the script's exit code, nil where none ran, and why the job did not succeed.
func (j *job) complete(base context.Context) (*int, error) {
	ctx, cancel := j.jobTime(base)
	defer cancel()
	if err := j.prepare(ctx); err != nil {
		return nil, err
	}
	if err := j.borrow(ctx); err != nil {
		return nil, err
	}
	return j.execute(ctx)
}

// prepare has everything that the script needs but what is borrowed.
func (j *job) prepare(ctx context.Context) (err error) {
	if j.channel, err = beside(ctx, j.readChannel); err != nil {
		return err
	}
	if j.room, err = room.Make(func(line string) { j.record.Note("%s", line) }); err != nil {
		return err
	}
	if j.folders, err = j.makeFolders(); err != nil {
		return err
	}
	if err := j.report.enter(jobprotocol.Fetching); err != nil {
		return err
	}
	if j.script, err = j.findScript(ctx); err != nil {
		return err
	}
	j.parameters, err = beside(ctx, j.readParameters)
	return err
}

func (j *job) findScript(ctx context.Context) (jobscript.Script, error) {
	s := j.settings
	facts := &jobprotocol.Script{Source: "mount"}
	folder := s.Scripts
	if err := jobscript.CheckID(s.ScriptID); err != nil {
		return jobscript.Script{}, err
	}
	if s.Repository != "" {
		folder = j.folders.source
		facts = &jobprotocol.Script{Source: "git", Repository: s.Repository, Commit: s.Commit}
		source := jobscript.Source{
			Repository: s.Repository, Commit: s.Commit, Protocols: s.GitProtocols, Login: j.channel.Repository,
			Folder: folder, Room: j.room.Path, Run: j.runTool,
		}
		if err := source.Fetch(ctx); err != nil {
			return jobscript.Script{}, err
		}
	}
	script, err := beside(ctx, func() (jobscript.Script, error) { return jobscript.Find(folder, s.ScriptID) })
	if err == nil {
		facts.Language, facts.SHA256 = script.Language, script.SHA256
		j.report.setScript(facts)
	}
	return script, err
}

const largestParameters = 16 << 20

// readParameters reads and checks them, and has the secret ones be secret. A schema is whoever's the script is: what it asks for may
// take as long as it likes.
func (j *job) readParameters() (*jobparameters.Parameters, error) {
	text := []byte(j.settings.Parameters)
	if path := j.settings.ParametersFile; path != "" {
		file, err := os.Open(path)
		if err != nil {
			return nil, jobprotocol.Fail(jobprotocol.BadParameters, "PARAMETERS_FILE: %v", err)
		}
		defer file.Close()
		if text, err = io.ReadAll(io.LimitReader(file, largestParameters+1)); err != nil {
			return nil, jobprotocol.Fail(jobprotocol.BadParameters, "PARAMETERS_FILE: %v", err)
		}
		if len(text) > largestParameters {
			return nil, jobprotocol.Fail(jobprotocol.BadParameters, "PARAMETERS_FILE: %s is longer than 16 MiB", path)
		}
	}
	var schema *jobparameters.Schema
	if j.script.Schema != nil {
		var err error
		if schema, err = jobparameters.ParseSchema(j.script.Schema); err != nil {
			return nil, jobprotocol.Fail(jobprotocol.BadParameters, "%s.schema.json: %v", j.settings.ScriptID, err)
		}
	}
	parameters, err := jobparameters.Read(text, j.channel.Parameters, schema)
	j.redactor.Add(parameters.Secrets...)
	if err != nil {
		return nil, jobprotocol.Fail(jobprotocol.BadParameters, "parameters: %v", err)
	}
	return parameters, nil
}

// finish keeps what the script left and gives back what was borrowed, in that time. Neither changes how the job ended.
func (j *job) finish(ctx context.Context) {
	j.freeDisk()
	if err := j.report.enter(jobprotocol.Collecting); err != nil {
		j.record.Note("result.json: %v", err)
	}
	// A Vault that does not answer must not take the time of the artifacts.
	var returning sync.WaitGroup
	returning.Go(func() { j.giveBack(ctx) })
	if j.folders.artifacts != "" {
		kept, refused, err := jobartifacts.Collect(ctx, jobartifacts.Options{
			From: j.folders.artifacts, To: filepath.Join(j.settings.Output, "artifacts"), Redactor: j.redactor, Kept: j.record.Artifact,
			Bytes: j.settings.ArtifactBytes, File: j.settings.ArtifactFile, Count: j.settings.ArtifactCount,
		})
		if err != nil {
			j.record.Note("no artifacts are kept: %v", err)
		}
		if len(refused) > 0 {
			j.record.Note("%d of what the script left is not kept, see artifacts_refused", len(refused))
		}
		j.report.setArtifacts(kept, refused)
	}
	returning.Wait()
	if j.room != nil {
		if err := j.room.Close(); err != nil {
			j.record.Note("the folder of secrets is not gone: %v", err)
		}
	}
	j.report.setOutput(j.record.End())
}

package main

import (
	"encoding/json"
	"math"
	"sync"
	"time"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
	"kiln.dev/programs/redact"
	"kiln.dev/programs/stateenvelope"
)

// report is the response as it grows. It is whole on disk at every moment, and says "not finished" until it is.
type report struct {
	lock     sync.Mutex
	path     string
	redactor *redact.Redactor
	record   *record
	response moduleprotocol.Response
	// changes are as the tool gave them: what is secret in them is not all known before the outputs are.
	changes []moduleprotocol.Change
	since   time.Time
	// failed is the first write that failed: there is nobody to tell before the end.
	failed error
}

func newReport(path string, redactor *redact.Redactor, request moduleprotocol.Request) *report {
	return &report{path: path, redactor: redactor, since: time.Now(), response: moduleprotocol.Response{
		Action: request.Action, RunID: request.RunID, APIVersion: moduleprotocol.Version, StartedAt: now(),
		Outputs: map[string]moduleprotocol.Output{}, Changes: []moduleprotocol.Change{}, Timings: map[string]float64{},
	}}
}

// enter begins a phase: it ends the one before, and writes the response.
func (r *report) enter(phase string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.endPhase()
	r.response.Phase = phase
	r.response.Error = "not finished: " + phase
	r.write()
	r.record.Phase(phase)
}

func (r *report) endPhase() {
	if r.response.Phase != "" {
		seconds := time.Since(r.since).Seconds()
		r.response.Timings[r.response.Phase] += math.Round(seconds*1000) / 1000
	}
	r.since = time.Now()
}

func (r *report) write() {
	if err := r.response.Write(r.path); err != nil && r.failed == nil {
		r.failed = err
	}
}

func (r *report) setTool(name, version string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.response.Tool = moduleprotocol.Tool{Name: name, Version: version}
}

func (r *report) setChanges(changes []moduleprotocol.Change) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.response.Summary = moduleprotocol.Summarize(changes)
	r.changes = changes
	r.redactChanges()
}

func (r *report) redactChanges() {
	r.response.Changes = []moduleprotocol.Change{}
	for _, change := range r.changes {
		change.Resource, change.URN = r.redactor.String(change.Resource), r.redactor.String(change.URN)
		change.Before, change.After = r.redactor.JSON(change.Before), r.redactor.JSON(change.After)
		r.response.Changes = append(r.response.Changes, change)
	}
}

func (r *report) setDrift() {
	r.lock.Lock()
	defer r.lock.Unlock()
	drift := r.response.Summary.Differs()
	r.response.Drift = &drift
}

func (r *report) setDigest(digest string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.response.PlanDigest = digest
}

// setOutputs seals outputs that are sensitive, and those that hold a secret although the module did not say so.
func (r *report) setOutputs(key []byte, outputs map[string]moduletool.Output) error {
	r.lock.Lock()
	defer r.lock.Unlock()
	for _, output := range outputs { // before any is looked at: one may hold another's secret
		if output.Sensitive {
			r.redactor.Add(redact.Values(output.Value)...)
		}
	}
	sealed := map[string]moduleprotocol.Output{}
	var secret []string
	for name, output := range outputs {
		if !output.Sensitive && string(r.redactor.JSON(output.Value)) == string(compact(output.Value)) {
			sealed[name] = moduleprotocol.Output{Value: output.Value}
			continue
		}
		encrypted, err := stateenvelope.SealOutput(key, name, compact(output.Value))
		if err != nil {
			return err
		}
		sealed[name] = moduleprotocol.Output{Value: json.RawMessage("null"), Sensitive: true, Encrypted: encrypted}
		secret = append(secret, redact.Values(output.Value)...)
	}
	r.redactor.Add(secret...)
	r.response.Outputs = sealed
	return nil
}

// saveState puts a sealed state into the response, and writes it where it is to be on disk at once.
func (r *report) saveState(state json.RawMessage, atOnce bool) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.response.State = state
	if atOnce {
		r.write()
	}
}

// finish ends the response with success, or with why there is none.
func (r *report) finish(failure *moduleprotocol.Failure) {
	r.record.Flush()
	r.lock.Lock()
	defer r.lock.Unlock()
	if failure != nil {
		failure.Phase = r.response.Phase
		failure.Message = r.redactor.String(failure.Message)
		r.response.Detail = failure
		r.response.Error = failure.Message
	} else {
		r.response.Error = ""
	}
	r.redactChanges()
	r.response.Success = failure == nil
	r.endPhase()
	r.response.Phase = moduleprotocol.Done
	r.response.Logs = r.record.Logs()
	r.response.FinishedAt = now()
	r.failed = nil
	r.write()
	r.record.Summary(r.response.Success, r.response.Summary)
}

// compact is JSON text without space, as the redactor writes it: equal where nothing was replaced.
func compact(raw json.RawMessage) json.RawMessage {
	return redact.New().JSON(raw)
}

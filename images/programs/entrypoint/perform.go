package main

import (
	"context"
	"errors"
	"os"
	"time"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
	"kiln.dev/programs/plandigest"
)

// saveInterval is how much older than the tool's own file the state in the response may be while the tool runs. A container
// that is killed loses that much, and what the tool has not written yet: OpenTofu writes its state 20 seconds after the first
// change at the earliest (defaultPersistInterval), and before that only when it is asked to stop.
const saveInterval = 2 * time.Second

// readTime is how long reading outputs may take once the run is stopped.
const readTime = 30 * time.Second

// perform does what the request asks for.
func (s *session) perform(ctx context.Context) error {
	switch s.request.Action {
	case moduleprotocol.Preview:
		_, err := s.plan(ctx)
		s.keepState()
		return err
	case moduleprotocol.Apply:
		if err := s.comparePlan(ctx); err != nil {
			s.keepState()
			return err
		}
		return s.change(ctx, func() ([]moduleprotocol.Change, error) { return s.tool.Execute(ctx, moduletool.Apply) })
	case moduleprotocol.Destroy:
		return s.change(ctx, func() ([]moduleprotocol.Change, error) { return s.tool.Execute(ctx, moduletool.Destroy) })
	case moduleprotocol.Import:
		return s.change(ctx, func() ([]moduleprotocol.Change, error) { return s.tool.Import(ctx, s.request.Imports) })
	default:
		return s.refresh(ctx)
	}
}

// plan makes a plan, reports it, and returns its digest, or none where no other run could have the same.
func (s *session) plan(ctx context.Context) (string, error) {
	s.report.enter(moduleprotocol.Planning)
	state, err := s.state.identity()
	if err == nil && s.state.mode == moduleprotocol.Remote {
		state, err = s.tool.RemoteState(ctx)
	}
	if err != nil {
		return "", err
	}
	plan, err := s.tool.Plan(ctx, moduletool.Apply)
	s.report.setChanges(plan.Changes)
	if err != nil || s.secrets.PassingKey {
		return "", err
	}
	digest, err := plandigest.Digest(plandigest.Plan{
		Tool: s.tool.Name(), Version: s.tool.Version(), Image: os.Getenv("KILN_IMAGE_DIGEST"), Stack: stackOf(s.request),
		Inputs: s.request.Inputs, Environment: variables(s.request, s.secrets), Files: s.secrets.Files, Backend: s.request.Backend,
		Key: s.key, State: state, Steps: plan.Steps,
	})
	s.report.setDigest(digest)
	return digest, err
}

// comparePlan refuses to apply where the plan is another one than the one that was looked at.
func (s *session) comparePlan(ctx context.Context) error {
	wanted := s.request.PlanDigest
	if wanted == "" {
		return nil
	}
	if s.secrets.PassingKey {
		return moduleprotocol.Fail(moduleprotocol.BadRequest,
			"$.plan_digest: cannot be compared: a digest is made with the state key, and the key of this run is no other run's. "+
				"Give both runs the same: a state directory, or a passphrase")
	}
	digest, err := s.plan(ctx)
	if err == nil && digest != wanted {
		err = moduleprotocol.Fail(moduleprotocol.PlanMoved,
			"$.plan_digest: is %s, but the plan is %s now: tool, image, inputs, variables, state or world have changed since the preview. "+
				"Nothing was applied; look at a new preview", wanted, digest)
	}
	return err
}

func (s *session) refresh(ctx context.Context) error {
	if s.request.UpdateState {
		err := s.change(ctx, func() ([]moduleprotocol.Change, error) { return s.tool.Execute(ctx, moduletool.Refresh) })
		if err == nil { // of a world that was read in part only nobody knows
			s.report.setDrift()
		}
		return err
	}
	s.report.enter(moduleprotocol.Planning)
	plan, err := s.tool.Plan(ctx, moduletool.Refresh)
	s.report.setChanges(plan.Changes)
	if err == nil {
		s.report.setDrift()
		err = s.readOutputs(ctx)
	}
	s.keepState()
	return err
}

// change runs the tool where it changes things. Outputs and state are read whatever came of it.
func (s *session) change(ctx context.Context, run func() ([]moduleprotocol.Change, error)) error {
	s.report.enter(moduleprotocol.Running)
	stop := s.saveWhileRunning()
	changes, err := run()
	stop()
	s.report.setTool(s.tool.Name(), s.tool.Version())
	s.report.setChanges(changes)
	sealed, sealing := s.state.seal(s.tool)
	if sealing == nil {
		s.report.saveState(sealed, false)
	}
	if err == nil { // otherwise it failed in this phase, whatever is read after it
		s.report.enter(moduleprotocol.Reading)
	}
	if s.request.Action == moduleprotocol.Destroy {
		return errors.Join(err, sealing)
	}
	if reading := s.readOutputs(ctx); err == nil {
		err = reading
	}
	return errors.Join(err, sealing)
}

func (s *session) readOutputs(ctx context.Context) error {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), readTime)
		defer cancel()
	}
	outputs, err := s.tool.Outputs(ctx)
	if err != nil {
		return err
	}
	return s.report.setOutputs(s.key, outputs)
}

// keepState returns the state as it came: nothing was done to it.
func (s *session) keepState() { s.report.saveState(s.state.sent, false) }

// saveWhileRunning keeps the state of a running tool in the response, until it is stopped.
func (s *session) saveWhileRunning() (stop func()) {
	if s.state.mode != moduleprotocol.Carried {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	s.keepState()
	go func() {
		defer close(ended)
		ticker := time.NewTicker(saveInterval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				// A state that is just being written cannot be read: the next one can.
				if sealed, err := s.state.seal(s.tool); err == nil {
					s.report.saveState(sealed, true)
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

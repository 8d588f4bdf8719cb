package tofutool

import (
	"encoding/json"
	"regexp"
	"strings"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
)

// message is a line of OpenTofu's JSON output.
type message struct {
	Type    string
	Message string `json:"@message"`
	Tofu    string
	Hook    *struct {
		Resource struct {
			Address string `json:"addr"`
			Type    string `json:"resource_type"`
		}
		Action string
	}
	Diagnostic *struct{ Severity, Summary, Detail, Address string }
}

// messages gathers what a command says.
type messages struct {
	tell    moduletool.Listener
	version string
	// done are the resources that were changed; a replacement is a delete and a create of one address.
	done   []moduleprotocol.Change
	errors []string
	// warnings are told apart: those about variables explain an error that comes after them.
	warnings []string
	failed   bool
	// killed: the command could not end by itself.
	killed bool
	// told is what was said before, by the commands of this job: applying a plan file repeats what planning said.
	told map[string]bool
}

// again: a line about the plan, not about what is being done, that was told before.
func (m *messages) again(kind, text string) bool {
	known := m.told[kind+text]
	if m.told != nil {
		m.told[kind+text] = true
	}
	return known
}

func (m *messages) line(text string) {
	var said message
	if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &said) != nil {
		m.tell.Log(text)
		return
	}
	switch {
	case said.Type == "version":
		m.version = said.Tofu
		return
	case said.Diagnostic != nil:
		m.diagnostic(said)
		return
	case said.Hook != nil:
		m.hook(said)
	case (said.Type == "planned_change" || said.Type == "resource_drift") && m.again(said.Type, said.Message):
		return
	}
	if strings.TrimSpace(said.Message) != "" {
		m.tell.Log(strings.TrimSpace(said.Message))
	}
}

func (m *messages) diagnostic(said message) {
	d := said.Diagnostic
	text := d.Summary
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	if d.Address != "" {
		text = d.Address + ": " + text
	}
	switch d.Severity {
	case "error":
		m.errors = append(m.errors, text)
		m.failed = m.failed || d.Address != ""
	case "warning":
		m.warnings = append(m.warnings, text)
		if m.again(d.Severity, text) {
			return
		}
	}
	m.tell.Diagnostic(d.Severity, d.Address, text, false)
}

func (m *messages) hook(said message) {
	change := moduleprotocol.Change{Resource: said.Hook.Resource.Address, Type: said.Hook.Resource.Type, Action: said.Hook.Action}
	switch said.Type {
	case "apply_start":
		m.tell.Resource("started", change)
	case "apply_complete":
		m.done = append(m.done, change)
		m.tell.Resource("done", change)
	case "apply_errored":
		m.failed = true
		m.tell.Resource("failed", change)
	}
}

// changes are those of the plan that were done.
func (m *messages) changes(planned []moduleprotocol.Change) []moduleprotocol.Change {
	completed := map[string]int{}
	for _, change := range m.done {
		completed[change.Resource]++
	}
	var changes []moduleprotocol.Change
	for _, change := range planned {
		n := completed[change.Resource]
		switch {
		case change.Action == moduleprotocol.NoOp, n > 0 && change.Action != moduleprotocol.Replace, n > 1:
			changes = append(changes, change)
		case n == 1: // half of a replacement
			half := m.half(change)
			changes = append(changes, half)
		}
	}
	return changes
}

func (m *messages) half(change moduleprotocol.Change) moduleprotocol.Change {
	for _, done := range m.done {
		if done.Resource == change.Resource {
			change.Action = done.Action
		}
	}
	return change
}

var (
	saysLocked = regexp.MustCompile(`(?i)error acquiring the state lock|state (file )?is (already )?locked|workspace is (already )?locked`)
	saysAuth   = regexp.MustCompile(`(?i)no valid credential|could not find default credentials|unauthorized|access ?denied|forbidden|expired ?token|invalid.*credential`)
	saysConfig = regexp.MustCompile(`(?i)^(no value for required variable|invalid value for (input )?variable|invalid variables? value)`)
	saysLost   = regexp.MustCompile(`(?i)failed to (query available provider|install provider|load plugin|instantiate provider)|inconsistent dependency lock file|required plugins are not installed|provider registry`)
)

// failure turns what was said into an error.
func (m *messages) failure(command string, result child.Result) error {
	text := strings.Join(m.errors, "\n")
	code := moduleprotocol.ModuleInvalid
	switch {
	case saysLocked.MatchString(text):
		code = moduleprotocol.StateLocked
	case saysConfig.MatchString(text):
		code = moduleprotocol.ConfigInvalid
		for _, warning := range m.warnings {
			if strings.Contains(warning, "undeclared variable") {
				text += "\n" + warning
			}
		}
	case saysLost.MatchString(text):
		code = moduleprotocol.ProviderFailed
	case saysAuth.MatchString(text):
		code = moduleprotocol.AuthFailed
	case m.failed && command == "apply":
		code = moduleprotocol.ResourceFailed
	case m.failed:
		code = moduleprotocol.ProviderFailed
	}
	if text == "" {
		text = "it said nothing about it"
	}
	if result.Killed {
		return moduleprotocol.Fail(code, "tofu %s was killed: %s", command, text)
	}
	return moduleprotocol.Fail(code, "tofu %s ended with exit code %d: %s", command, result.Code, text)
}

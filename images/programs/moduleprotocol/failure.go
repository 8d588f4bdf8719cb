package moduleprotocol

import (
	"errors"
	"fmt"
)

// Codes of failures: what programs decide by.
const (
	BadRequest        = "bad_request"
	UnsupportedAction = "unsupported_action"
	ToolMissing       = "tool_missing"
	ModuleInvalid     = "module_invalid"
	ConfigInvalid     = "config_invalid"
	AuthFailed        = "auth_failed"
	ProviderFailed    = "provider_failed"
	ResourceFailed    = "resource_failed"
	StateMissing      = "state_missing"
	StateMismatch     = "state_mismatch"
	StateKeyWrong     = "state_key_wrong"
	StateLocked       = "state_locked"
	PlanMoved         = "plan_moved"
	Cancelled         = "cancelled"
	DeadlineExceeded  = "deadline_exceeded"
	Internal          = "internal"
)

// Failure is an error with a code. Phase is filled in where the run ends.
type Failure struct {
	Code      string `json:"code"`
	Phase     string `json:"phase"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

func (f *Failure) Error() string { return f.Message }

// Fail makes a failure. Only a lock that somebody else holds goes away by itself.
func Fail(code, format string, values ...any) *Failure {
	return &Failure{Code: code, Message: fmt.Sprintf(format, values...), Retryable: code == StateLocked}
}

// FailureOf is the failure that err is or wraps; anything else is internal.
func FailureOf(err error) *Failure {
	if failure := (*Failure)(nil); errors.As(err, &failure) {
		copied := *failure
		copied.Message = err.Error()
		return &copied
	}
	return Fail(Internal, "%v", err)
}

// ExitCode of the entrypoint for a failure.
func (f *Failure) ExitCode() int {
	switch f.Code {
	case BadRequest, UnsupportedAction:
		return 2
	case PlanMoved, StateMissing, StateMismatch, StateKeyWrong:
		return 3
	case DeadlineExceeded:
		return 124
	case Cancelled:
		return 143
	default:
		return 1
	}
}

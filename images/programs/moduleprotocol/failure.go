package moduleprotocol

import "kiln.dev/programs/failure"

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
	Internal          = failure.Internal
)

// Failure is an error with one of these codes.
type Failure = failure.Failure

// Fail makes a failure. Only a lock that somebody else holds goes away by itself.
func Fail(code, format string, values ...any) *Failure {
	f := failure.New(code, format, values...)
	f.Retryable = code == StateLocked
	return f
}

// FailureOf is the failure that err is or wraps; anything else is internal.
func FailureOf(err error) *Failure { return failure.Of(err) }

var exitCodes = failure.ExitCodes{
	BadRequest: 2, UnsupportedAction: 2,
	PlanMoved: 3, StateMissing: 3, StateMismatch: 3, StateKeyWrong: 3,
	DeadlineExceeded: 124,
	Cancelled:        143,
}

// ExitCode of the entrypoint for a failure.
func ExitCode(f *Failure) int { return exitCodes.Of(f) }

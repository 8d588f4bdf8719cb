// Package jobprotocol is what a job's container is told and what it answers: environment, secret channel, result, failures.
package jobprotocol

import (
	"errors"
	"fmt"
)

// Version of the protocol.
const Version = "job/v1"

// Codes of failures: what programs decide by.
const (
	BadRequest         = "bad_request"
	BadParameters      = "bad_parameters"
	ScriptMissing      = "script_missing"
	ScriptAmbiguous    = "script_ambiguous"
	ScriptRefused      = "script_refused"
	InterpreterMissing = "interpreter_missing"
	FetchFailed        = "fetch_failed"
	VaultFailed        = "vault_failed"
	ScriptFailed       = "script_failed"
	ScriptKilled       = "script_killed"
	OOMKilled          = "oom_killed"
	ScriptTimeout      = "script_timeout"
	IdleTimeout        = "idle_timeout"
	JobTimeout         = "job_timeout"
	Canceled           = "canceled"
	DiskLimit          = "disk_limit"
	Internal           = "internal"
)

// Failure is an error with a code. Phase is filled in where the job ends.
type Failure struct {
	Code      string `json:"code"`
	Phase     string `json:"phase"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

func (f *Failure) Error() string { return f.Message }

// Fail makes a failure that the same job would have again.
func Fail(code, format string, values ...any) *Failure {
	return &Failure{Code: code, Message: fmt.Sprintf(format, values...)}
}

// Retry makes a failure that may be gone at the next attempt.
func Retry(code, format string, values ...any) *Failure {
	failure := Fail(code, format, values...)
	failure.Retryable = true
	return failure
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

// ExitCode of a container whose script did not end by itself. What stopped it has its own.
func (f *Failure) ExitCode() int {
	switch f.Code {
	case BadRequest, BadParameters, ScriptMissing, ScriptAmbiguous, ScriptRefused:
		return 2
	case ScriptTimeout, IdleTimeout, JobTimeout:
		return 124
	case Canceled:
		return 143
	default:
		return 1
	}
}

// Status of a job that ended so.
func (f *Failure) Status() string {
	switch f.Code {
	case ScriptTimeout, IdleTimeout, JobTimeout:
		return TimedOut
	case Canceled:
		return WasCanceled
	default:
		return Failed
	}
}

// Package jobprotocol is what a job's container is told and what it answers: environment, secret channel, result, failures.
package jobprotocol

import "kiln.dev/programs/failure"

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
	Internal           = failure.Internal
)

// Failure is an error with one of these codes.
type Failure = failure.Failure

// Fail makes a failure that the same job would have again.
func Fail(code, format string, values ...any) *Failure { return failure.New(code, format, values...) }

// Retry makes a failure that may be gone at the next attempt.
func Retry(code, format string, values ...any) *Failure {
	f := Fail(code, format, values...)
	f.Retryable = true
	return f
}

// FailureOf is the failure that err is or wraps; anything else is internal.
func FailureOf(err error) *Failure { return failure.Of(err) }

var exitCodes = failure.ExitCodes{
	BadRequest: 2, BadParameters: 2, ScriptMissing: 2, ScriptAmbiguous: 2, ScriptRefused: 2,
	ScriptTimeout: 124, IdleTimeout: 124, JobTimeout: 124,
	Canceled: 143,
}

// ExitCode of a container whose script did not end by itself. What stopped it has its own.
func ExitCode(f *Failure) int { return exitCodes.Of(f) }

// StatusOf a job that ended so.
func StatusOf(f *Failure) string {
	switch f.Code {
	case ScriptTimeout, IdleTimeout, JobTimeout:
		return TimedOut
	case Canceled:
		return WasCanceled
	default:
		return Failed
	}
}

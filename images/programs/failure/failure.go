// Package failure is an error that programs decide by: a code of the protocol that it belongs to, and a message for people.
// What the codes are, and what they mean, stands with each protocol.
package failure

import (
	"errors"
	"fmt"
)

// Internal is the code of what no protocol foresees; every protocol has it.
const Internal = "internal"

// Failure is an error with a code. Phase is filled in where a run ends.
type Failure struct {
	Code      string `json:"code"`
	Phase     string `json:"phase"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

func (f *Failure) Error() string { return f.Message }

// New makes a failure that the same run would have again.
func New(code, format string, values ...any) *Failure {
	return &Failure{Code: code, Message: fmt.Sprintf(format, values...)}
}

// Of is the failure that err is or wraps, with all that err says; anything else is internal.
func Of(err error) *Failure {
	if found := (*Failure)(nil); errors.As(err, &found) {
		copied := *found
		copied.Message = err.Error()
		return &copied
	}
	return New(Internal, "%v", err)
}

// ExitCodes are those of a container, by the code of the failure that it ends with; that of any other code is 1.
type ExitCodes map[string]int

// Of is the exit code for a failure.
func (e ExitCodes) Of(f *Failure) int {
	if code, known := e[f.Code]; known {
		return code
	}
	return 1
}

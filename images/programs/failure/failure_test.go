package failure

import (
	"errors"
	"fmt"
	"testing"
)

// TestOf: what wraps a failure keeps its code and adds to its message, and the failure itself stays as it was.
func TestOf(t *testing.T) {
	inner := &Failure{Code: "locked", Message: "held by another", Retryable: true}
	got := Of(fmt.Errorf("state: %w", inner))
	if want := (Failure{Code: "locked", Message: "state: held by another", Retryable: true}); *got != want {
		t.Errorf("%+v", got)
	}
	if inner.Message != "held by another" {
		t.Error(inner.Message)
	}
	if got := Of(errors.New("100% full")); *got != (Failure{Code: Internal, Message: "100% full"}) {
		t.Errorf("%+v", got)
	}
}

func TestExitCodes(t *testing.T) {
	codes := ExitCodes{"bad": 2}
	if codes.Of(New("bad", "x")) != 2 || codes.Of(New("other", "x")) != 1 {
		t.Error(codes)
	}
}

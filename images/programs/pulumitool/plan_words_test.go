package pulumitool

import (
	"testing"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
)

// TestWordsOfAMovedPlan has all ways in which Pulumi 3.253 says that an update goes beyond its plan (resource/deploy:
// step_generator.go, step_executor.go, deployment_executor.go).
func TestWordsOfAMovedPlan(t *testing.T) {
	t.Parallel()
	for _, said := range []string{
		"error: resource urn:pulumi:s::p::a:b:C::n violates plan: properties changed: ++size[4]",
		"error: resource violates plan: properties changed",
		"error: create is not allowed by the plan: no steps were expected for this resource",
		"error: delete is not allowed by the plan: no more steps were expected for this resource",
		"error: update is not allowed by the plan: this resource is constrained to same",
		"error: expected resource operations for urn:pulumi:s::p::a:b:C::n but none were seen",
	} {
		if got := moduleprotocol.FailureOf(failure(child.Result{Code: 255}, []string{said}, true)).Code; got != moduleprotocol.PlanMoved {
			t.Errorf("%s: %s", said, got)
		}
	}
}

package pulumitool

import (
	"testing"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
)

// TestFailures: Pulumi's 2 is a configuration error, not "has changes" as OpenTofu's.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		code     int
		said     string
		resource bool
		want     string
	}{
		{1, "Running program failed", false, moduleprotocol.ModuleInvalid},
		{255, "something", true, moduleprotocol.ResourceFailed},
		{4, "something", false, moduleprotocol.ResourceFailed},
		{2, "bad flag", false, moduleprotocol.ConfigInvalid},
		{1, "error: Missing required configuration variable 'p:name'", false, moduleprotocol.ConfigInvalid},
		{3, "", false, moduleprotocol.AuthFailed},
		{255, "error: the stack is currently locked by 1 lock(s)", false, moduleprotocol.StateLocked},
		{1, "error: incorrect passphrase", false, moduleprotocol.StateKeyWrong},
		{1, "could not load plugin for aws provider", false, moduleprotocol.ProviderFailed},
		{6, "no stack named 'x' found", false, moduleprotocol.StateMissing},
		{8, "update canceled", true, moduleprotocol.Cancelled},
	} {
		if f := moduleprotocol.FailureOf(failure(child.Result{Code: c.code}, []string{c.said}, c.resource)); f.Code != c.want {
			t.Errorf("%d %q: %s; wanted %s", c.code, c.said, f.Code, c.want)
		}
	}
}

func TestSplitAddress(t *testing.T) {
	for address, want := range map[string][2]string{
		"aws:s3/bucket:Bucket::b":                          {"aws:s3/bucket:Bucket", "b"},
		"urn:pulumi:s::p::my:C$aws:s3/bucket:Bucket::name": {"aws:s3/bucket:Bucket", "name"},
		"urn:pulumi:s::p::pulumi:index:Stash::a::b":        {"pulumi:index:Stash", "a::b"},
		"nothing": {"nothing", ""},
	} {
		if kind, name := splitAddress(address); kind != want[0] || name != want[1] {
			t.Errorf("%s: %s %s", address, kind, name)
		}
	}
}

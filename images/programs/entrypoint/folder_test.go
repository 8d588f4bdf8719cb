package main

import (
	"regexp"
	"slices"
	"testing"
)

// TestWorkingFolder: a module that names path.cwd has the same plan in each run.
func TestWorkingFolder(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		plans := regexp.MustCompile(`(?m)^(tofu \["plan"|pulumi \["preview").*$`)
		c.succeed(request("preview"), "")
		c.succeed(request("preview"), "")
		calls := plans.FindAllString(c.callsText(), -1)
		for i, call := range calls {
			calls[i] = regexp.MustCompile(`events-\d+`).ReplaceAllString(call, "")
		}
		if len(calls) != 2 || len(slices.Compact(calls)) != 1 {
			t.Errorf("%q", calls)
		}
	})
}

package main

import (
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

func TestStackNames(t *testing.T) {
	for _, c := range []struct{ stack, tool, mode, where, says string }{
		{"default", "opentofu", "carried", "", ""},
		{"prod-1.web_x", "pulumi", "remote", "s3://b", ""},
		{"acme/web/prod", "pulumi", "remote", "https://api.pulumi.com", ""},
		{"acme/prod", "pulumi", "remote", "https://api.pulumi.com", ""},
		{"acme/web/prod", "pulumi", "remote", "", ""}, // a login says which backend it is
		{"organization/web/prod", "pulumi", "remote", "s3://b?region=x", ""},
		{"organization/prod", "pulumi", "remote", "file:///state", ""},
		{"acme/web/prod", "pulumi", "remote", "s3://b", `say "prod", or "organization/web/prod"`},
		{"acme/prod", "pulumi", "remote", "azblob://c", `has only one, called "organization"`},
		{"acme/api/prod", "pulumi", "remote", "https://api.pulumi.com", `the module's is "web": say "acme/web/prod"`},
		{"organization/api/prod", "pulumi", "remote", "gs://b", `the module's is "web"`},
		{"acme/web/prod", "pulumi", "carried", "", `is carried, which has none: say "prod", or join the parts, as in "acme.web.prod"`},
		{"acme/web/prod", "pulumi", "ephemeral", "", "is ephemeral"},
		{"acme/web/prod", "opentofu", "remote", "", `a workspace, which has none: say "prod"`},
		{"a/b/c/d", "pulumi", "remote", "", "is no name of a stack"},
		{"a//c", "pulumi", "remote", "", "is no name of a stack"},
		{"a/../c", "pulumi", "remote", "", "is no name of a stack"},
		{strings.Repeat("a", 101), "pulumi", "remote", "", "at most 100"},
		{"", "pulumi", "carried", "", "is no name"}, {"..", "pulumi", "carried", "", "is no name"}, {".hidden", "pulumi", "carried", "", "is no name"},
		{"-flag", "pulumi", "carried", "", "is no name"}, {"a b", "pulumi", "carried", "", "is no name"}, {"a\n", "pulumi", "carried", "", "is no name"},
	} {
		err := checkStack(c.stack, c.tool, c.mode, "web", c.where)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestStackOfNobody: what no backend takes is refused before a tool runs, with what to say instead.
func TestStackOfNobody(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		s3 := map[string]any{"type": "s3", "config": map[string]any{"bucket": "b"}}
		for _, bad := range []map[string]any{
			request("apply", "stack_name", "acme/web/prod"),
			request("apply", "stack_name", "acme/web/prod", "backend", s3),
		} {
			if r := c.refuse(bad, "", moduleprotocol.BadRequest, 2).response; !strings.Contains(r.Error, `say "prod"`) {
				t.Error(r.Error)
			}
		}
		if c.callsText() != "" {
			t.Error("the tool was asked:", c.callsText())
		}
	})
}

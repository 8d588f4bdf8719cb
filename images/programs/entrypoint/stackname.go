package main

import (
	"regexp"
	"strings"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/pulumitool"
)

var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

// ownOrganization is what Pulumi calls the one organization of a backend that it keeps itself, in a bucket or a folder.
const ownOrganization = "organization"

// checkStack refuses, before a tool runs, names that are paths or flags, and those that no backend of this kind takes. A plain name
// is taken by all; only remote stacks of Pulumi have organization/stack and organization/project/stack. Where, a URL, may be empty:
// then a login of the image says which backend it is.
func checkStack(stack, tool, mode, project, where string) error {
	if plainName.MatchString(stack) {
		return nil
	}
	refuse := func(why string, values ...any) error {
		return moduleprotocol.Fail(moduleprotocol.BadRequest, "$.stack_name: %q "+why, append([]any{stack}, values...)...)
	}
	parts := strings.Split(stack, "/")
	for _, part := range parts {
		if !plainName.MatchString(part) || len(parts) > 3 {
			return refuse("is no name of a stack: letters, digits, _, - and . only, not - or . at its beginning, at most 100")
		}
	}
	last := parts[len(parts)-1]
	switch {
	case tool != pulumitool.Name:
		return refuse("has parts, and a stack of OpenTofu is a workspace, which has none: say %q, or join them, as in %q",
			last, strings.Join(parts, "."))
	case mode != moduleprotocol.Remote:
		return refuse("names an organization, and the state of this run is %s, which has none: say %q, or join the parts, as in %q",
			mode, last, strings.Join(parts, "."))
	case keptByPulumi(where) && parts[0] != ownOrganization:
		return refuse("names the organization %q, and a backend such as %s:// has only one, called %q: say %q, or %q",
			parts[0], scheme(where), ownOrganization, last, ownOrganization+"/"+project+"/"+last)
	case len(parts) == 3 && parts[1] != project:
		return refuse("names the project %q, and the module's is %q: say %q", parts[1], project, parts[0]+"/"+project+"/"+last)
	}
	return nil
}

// keptByPulumi: a URL is of a bucket, folder or database, and of no service that has organizations.
func keptByPulumi(where string) bool {
	return where != "" && scheme(where) != "https" && scheme(where) != "http"
}

func scheme(where string) string {
	before, _, _ := strings.Cut(where, ":")
	return strings.ToLower(before)
}

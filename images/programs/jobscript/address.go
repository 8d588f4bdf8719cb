package jobscript

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"kiln.dev/programs/jobprotocol"
)

// address is a repository that may be fetched.
type address struct {
	text, protocol, host, folder string
}

var (
	fullCommit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	shortSSH   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*@([A-Za-z0-9][A-Za-z0-9.-]*):[^:-][^:]*$`)
	hostName   = regexp.MustCompile(`^[A-Za-z0-9\[][A-Za-z0-9.:\]-]*$`)
	control    = regexp.MustCompile(`[\x00-\x20\x7f]`)
)

// CheckCommit: a branch or tag would be another script tomorrow, and a short id may be two commits.
func CheckCommit(commit string) error {
	if fullCommit.MatchString(commit) {
		return nil
	}
	return jobprotocol.Fail(jobprotocol.BadRequest, "SCRIPT_REF is %q: it has to be a whole commit of 40 or 64 lower case hex digits", commit)
}

// parseAddress refuses addresses that Git takes for options, programs or other protocols than those that are allowed.
func parseAddress(text string, protocols []string) (address, error) {
	refuse := func(why string) (address, error) {
		return address{}, jobprotocol.Fail(jobprotocol.BadRequest, "SCRIPT_REPO %s", why)
	}
	if strings.HasPrefix(text, "-") || control.MatchString(text) || strings.Contains(text, "::") {
		return refuse("is no address of a repository: it begins with -, or has :: or white space in it")
	}
	a := address{text: text}
	if match := shortSSH.FindStringSubmatch(text); match != nil {
		a.protocol, a.host = "ssh", match[1]
	} else {
		parsed, err := url.Parse(text)
		if err != nil || parsed.Scheme == "" || parsed.Opaque != "" || parsed.Fragment != "" {
			return refuse("has to be https://HOST/PATH, ssh://HOST/PATH, USER@HOST:PATH or file:///PATH")
		}
		a.protocol, a.host, a.folder = parsed.Scheme, parsed.Hostname(), parsed.Path
		_, secret := parsed.User.Password()
		switch {
		case secret || parsed.User != nil && a.protocol != "ssh":
			return refuse("must not have a user or password in it: they go through the secret channel")
		case a.protocol == "file" && (parsed.Host != "" || !path.IsAbs(a.folder)):
			return refuse("of a folder has to be file:///PATH")
		case a.protocol != "file" && !hostName.MatchString(a.host):
			return refuse("names no host")
		}
		if user := parsed.User.Username(); strings.HasPrefix(user, "-") {
			return refuse("has a user that begins with -")
		}
	}
	if !slices.Contains(protocols, a.protocol) {
		return refuse("is of the protocol " + a.protocol + ", and allowed are " + strings.Join(protocols, ", ") + " (KILN_GIT_PROTOCOLS)")
	}
	return a, nil
}

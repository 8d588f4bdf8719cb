package jobscript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"kiln.dev/programs/child"
	"kiln.dev/programs/jobprotocol"
)

// Source is one commit of a repository.
type Source struct {
	Repository, Commit string
	// Protocols that Git may use.
	Protocols []string
	Login     jobprotocol.RepositoryLogin
	// Folder gets the files; it must not be there yet. Room is for what is secret.
	Folder, Room string
	// Run runs Git.
	Run func(context.Context, child.Command) (child.Result, error)
}

// Fetch gets one commit without its history, and returns when its files are there: without the repository itself, submodules,
// and links out of the tree, which are refused.
func (s Source) Fetch(ctx context.Context) (err error) {
	if err := CheckCommit(s.Commit); err != nil {
		return err
	}
	from, err := parseAddress(s.Repository, s.Protocols)
	if err != nil {
		return err
	}
	if _, found := child.Find("git"); !found {
		return jobprotocol.Fail(jobprotocol.FetchFailed, "this image has no git: scripts can only be mounted")
	}
	// The script is of the same user: the login must be gone before it starts.
	defer func() {
		if left := os.RemoveAll(s.loginFolder()); err == nil {
			err = left
		}
	}()
	environment, err := s.environment(from)
	if err != nil {
		return fmt.Errorf("prepare git: %w", err)
	}
	git := gitCall{ctx: ctx, source: s, environment: environment}
	if err := git.fetch(from); err != nil {
		return err
	}
	if err := git.checkTree(); err != nil {
		return err
	}
	if _, err := git.run("checkout", "--quiet", "--force", "--detach", s.Commit); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(s.Folder, ".git")); err != nil {
		return fmt.Errorf("remove what the files came from: %w", err)
	}
	return checkLinks(s.Folder)
}

type gitCall struct {
	ctx         context.Context
	source      Source
	environment []string
}

func (g gitCall) fetch(from address) error {
	if err := os.Mkdir(g.source.Folder, 0o700); err != nil {
		return fmt.Errorf("make a folder for the repository: %w", err)
	}
	format := "sha1"
	if len(g.source.Commit) == 64 {
		format = "sha256"
	}
	if _, err := g.run("init", "--quiet", "--template=", "--object-format="+format); err != nil {
		return err
	}
	fetch := []string{"fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--", from.text, g.source.Commit}
	if _, err := g.run(fetch...); err != nil {
		return err
	}
	found, err := g.run("rev-parse", "--verify", "--quiet", "--end-of-options", "FETCH_HEAD^{commit}")
	if err == nil && strings.TrimSpace(found) != g.source.Commit {
		err = jobprotocol.Fail(jobprotocol.FetchFailed, "SCRIPT_REF is %s, which is no commit there", g.source.Commit)
	}
	return err
}

// checkTree refuses submodules: their files would not be there, or come from addresses that nobody checked.
func (g gitCall) checkTree() error {
	tree, err := g.run("ls-tree", "-r", "-z", "--full-tree", g.source.Commit)
	if err != nil {
		return err
	}
	for entry := range strings.SplitSeq(tree, "\x00") {
		if facts, name, found := strings.Cut(entry, "\t"); found && strings.HasPrefix(facts, "160000 ") {
			return jobprotocol.Fail(jobprotocol.ScriptRefused, "the repository has a submodule, %q: submodules are not fetched", name)
		}
	}
	return nil
}

// checkLinks refuses a tree with a link that leads out of it. One that leads nowhere harms nobody.
func checkLinks(folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type() != fs.ModeSymlink {
			return err
		}
		if _, err := root.Stat(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return jobprotocol.Fail(jobprotocol.ScriptRefused, "the repository has a link that leads out of it: %q", path)
		}
		return nil
	})
}

// Failures that may be gone a minute later.
var passing = regexp.MustCompile(`(?i)could not resolve host|timed out|connection (refused|reset|closed)|early eof|hung up|returned error: 5\d\d|429|network is unreachable|no route to host|temporary failure`)

// run runs Git in the folder and returns what it printed.
func (g gitCall) run(arguments ...string) (string, error) {
	var out, said bytes.Buffer
	result, err := g.source.Run(g.ctx, child.Command{
		Path: "git", Arguments: arguments, Directory: g.source.Folder, Environment: g.environment, RawStdout: &out, RawStderr: &said,
	})
	switch {
	case g.ctx.Err() != nil:
		return "", context.Cause(g.ctx)
	case err != nil:
		return "", err
	case result.Code == 0:
		return out.String(), nil
	}
	text := strings.TrimSpace(said.String())
	if len(text) > 2000 {
		text = text[len(text)-2000:]
	}
	failure := jobprotocol.Fail(jobprotocol.FetchFailed, "git %s: %s", arguments[0], strings.ToValidUTF8(text, "\uFFFD"))
	failure.Retryable = passing.MatchString(text)
	return "", failure
}

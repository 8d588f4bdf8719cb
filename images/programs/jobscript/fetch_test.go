package jobscript

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kiln.dev/programs/child"
	"kiln.dev/programs/jobprotocol"
)

// TestMain lets the test binary answer Git.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == AskName {
		os.Exit(Answer(os.Args[1], os.Stdout))
	}
	os.Exit(m.Run())
}

func git(t *testing.T, folder string, arguments ...string) string {
	t.Helper()
	cmd := exec.Command("git", arguments...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v %s", arguments, err, out)
	}
	return strings.TrimSpace(string(out))
}

// repository makes one with a commit of these files.
func repository(t *testing.T, files map[string]string) (folder, commit string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git here")
	}
	folder = t.TempDir()
	git(t, folder, "init", "-q", "-b", "main")
	write(t, folder, files)
	git(t, folder, "add", "-A")
	git(t, folder, "commit", "-q", "-m", "x")
	return folder, git(t, folder, "rev-parse", "HEAD")
}

func source(t *testing.T, repository, commit string) Source {
	return Source{
		Repository: repository, Commit: commit, Protocols: []string{"https", "ssh", "file"},
		Folder: filepath.Join(t.TempDir(), "source"), Room: t.TempDir(), Run: child.Run,
	}
}

func TestFetch(t *testing.T) {
	folder, commit := repository(t, map[string]string{"jobs/hello.py": "print(1)", "link.py": "->jobs/hello.py", "nowhere": "->gone"})
	write(t, folder, map[string]string{"jobs/hello.py": "print(2)"})
	git(t, folder, "commit", "-q", "-a", "-m", "later")
	// What would run if hooks, filters or settings of the repository were heeded.
	write(t, folder, map[string]string{".git/hooks/post-checkout": "#!/bin/sh\ntouch " + folder + "/ran\n"})
	must(t, os.Chmod(folder+"/.git/hooks/post-checkout", 0o700))
	s := source(t, "file://"+folder, commit)
	s.Login = jobprotocol.RepositoryLogin{Password: "secret-1", SSHKey: "secret-2"}
	must(t, s.Fetch(t.Context()))
	if left, _ := os.ReadDir(s.Room); len(left) > 0 {
		t.Error("the script could read", left)
	}
	script, err := Find(s.Folder, "link")
	must(t, err)
	if text, _ := os.ReadFile(script.Path); string(text) != "print(1)" {
		t.Error(string(text))
	}
	for _, gone := range []string{filepath.Join(s.Folder, ".git"), folder + "/ran"} {
		if _, err := os.Stat(gone); !os.IsNotExist(err) {
			t.Error(gone, err)
		}
	}
}

func TestFetchRefuses(t *testing.T) {
	good, commit := repository(t, map[string]string{"a.py": "1"})
	out, outCommit := repository(t, map[string]string{"a.py": "1", "etc": "->../../../etc"})
	// Looks as if it stayed inside, and does not: the link on the way is not as deep as its path.
	sly, slyCommit := repository(t, map[string]string{"top/x": "1", "a/b/up": "->../../top", "sly": "->a/b/up/../.."})
	modules, _ := repository(t, map[string]string{"a.py": "1"})
	git(t, modules, "update-index", "--add", "--cacheinfo", "160000,"+commit+",vendor")
	git(t, modules, "commit", "-q", "-m", "submodule")
	ran := filepath.Join(t.TempDir(), "ran")
	for _, c := range []struct{ repository, commit, want string }{
		{"file://" + out, outCommit, jobprotocol.ScriptRefused},
		{"file://" + sly, slyCommit, jobprotocol.ScriptRefused},
		{"file://" + modules, git(t, modules, "rev-parse", "HEAD"), jobprotocol.ScriptRefused},
		{"file://" + good, "main", jobprotocol.BadRequest},
		{"file://" + good, commit[:12], jobprotocol.BadRequest},
		{"file://" + good, "--upload-pack=touch " + ran, jobprotocol.BadRequest},
		{"file://" + good, strings.Repeat("0", 40), jobprotocol.FetchFailed},
		{"file:///no/such/repository", commit, jobprotocol.FetchFailed},
		{"--upload-pack=touch " + ran, commit, jobprotocol.BadRequest},
		{"ext::sh -c touch% " + ran, commit, jobprotocol.BadRequest},
		{"ssh://-oProxyCommand=touch/x", commit, jobprotocol.BadRequest},
		{"-oProxyCommand=x@host:y", commit, jobprotocol.BadRequest},
		{"git@-host:y", commit, jobprotocol.BadRequest},
		{"https://user:password@host/x", commit, jobprotocol.BadRequest},
		{"http://host/x", commit, jobprotocol.BadRequest},
		{"file://host" + good, commit, jobprotocol.BadRequest},
		{good, commit, jobprotocol.BadRequest},
		{"https://host/a\nb", commit, jobprotocol.BadRequest},
	} {
		err := source(t, c.repository, c.commit).Fetch(t.Context())
		if codeOf(err) != c.want {
			t.Errorf("%s %s: %v; wanted %s", c.repository, c.commit, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "password@") {
			t.Error("a password is in:", err)
		}
	}
	if _, err := os.Stat(ran); !os.IsNotExist(err) {
		t.Error("something was run")
	}
	stopped, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	if err := source(t, "file://"+good, commit).Fetch(stopped); err != errTest {
		t.Error(err)
	}
}

var errTest = jobprotocol.Fail(jobprotocol.Canceled, "test")

// TestAnswer: the password is given to the host that it is for, through a program, and to no other.
func TestAnswer(t *testing.T) {
	s := source(t, "https://git.example.com/x", strings.Repeat("1", 40))
	s.Login = jobprotocol.RepositoryLogin{Username: "me", Password: "secret-1"}
	from, err := parseAddress(s.Repository, s.Protocols)
	must(t, err)
	environment, err := s.environment(from)
	must(t, err)
	for question, want := range map[string]string{
		"Username for 'https://git.example.com': ":                "me\n",
		"Password for 'https://me@git.example.com': ":             "secret-1\n",
		"Password for 'https://me@git.example.com:8443/x': ":      "secret-1\n",
		"Password for 'https://git.example.com@evil.example': ":   "",
		"Password for 'https://evil.example/git.example.com': ":   "",
		"Password for 'https://git.example.com.evil.example': ":   "",
		"Are you sure you want to continue connecting (yes/no)? ": "",
	} {
		cmd := exec.Command(filepath.Join(s.Room, "git", AskName), question)
		cmd.Env = environment
		out, _ := cmd.Output()
		if !bytes.Equal(out, []byte(want)) {
			t.Errorf("%s: %q", question, out)
		}
	}
	for _, entry := range environment {
		if strings.Contains(entry, "secret-1") {
			t.Error("a password is in the environment")
		}
	}
}

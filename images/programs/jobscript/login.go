package jobscript

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// AskName is the name by which this program answers when Git asks for a user or password.
const AskName = "kiln-git-ask"

// askFolder names the folder of the answers, files that only this user reads.
const askFolder = "KILN_GIT_ASK"

// Answer writes what Git asks for: `Username for 'https://host': `. Only the host that the login is for gets it.
func Answer(question string, out io.Writer) int {
	folder := os.Getenv(askFolder)
	host, err := os.ReadFile(filepath.Join(folder, "host"))
	if err != nil || !asksFor(question, string(host)) {
		return 1
	}
	file := "password"
	if strings.HasPrefix(question, "Username") {
		file = "username"
	}
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		return 1
	}
	fmt.Fprintln(out, string(text))
	return 0
}

func asksFor(question, host string) bool {
	_, quoted, found := strings.Cut(question, "'https://")
	if !found {
		_, quoted, found = strings.Cut(question, "'http://")
	}
	where, _, closed := strings.Cut(quoted, "'")
	where = where[strings.LastIndexByte(where, '@')+1:]
	where, _, _ = strings.Cut(where, "/")
	name, _, _ := strings.Cut(where, ":")
	return found && closed && host != "" && name == host
}

// environment is Git's: no settings but these, no hooks, no filters, no credential helpers, no questions to a terminal.
func (s Source) environment(from address) ([]string, error) {
	room := s.loginFolder()
	if err := os.Mkdir(room, 0o700); err != nil {
		return nil, err
	}
	files := map[string]string{"config": config(from, s.Protocols)}
	environment := []string{}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "GIT_") && !strings.HasPrefix(name, "KILN_") && !strings.HasPrefix(name, "PARAMETERS") && name != "SSH_ASKPASS" {
			environment = append(environment, entry)
		}
	}
	environment = append(environment, "HOME="+room, "XDG_CONFIG_HOME="+room, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+filepath.Join(room, "config"),
		"GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL="+strings.Join(s.Protocols, ":"), "GIT_LFS_SKIP_SMUDGE=1", "GIT_ATTR_NOSYSTEM=1",
		"GIT_SSH_COMMAND="+s.ssh(room), "LC_ALL=C", "USER=kiln", askFolder+"="+room)
	if s.Login.Password != "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		// The link's name makes it answer, and it runs also where the room's file system runs no programs.
		ask := filepath.Join(room, AskName)
		if err := os.Symlink(self, ask); err != nil {
			return nil, err
		}
		environment = append(environment, "GIT_ASKPASS="+ask)
		files["host"], files["username"], files["password"] = from.host, cmp.Or(s.Login.Username, "x-access-token"), s.Login.Password
	}
	if s.Login.SSHKey != "" {
		files["key"] = strings.TrimRight(s.Login.SSHKey, "\n") + "\n"
	}
	files["known_hosts"] = s.Login.KnownHosts + "\n"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(room, name), []byte(text), 0o400); err != nil {
			return nil, err
		}
	}
	return environment, nil
}

// loginFolder has Git's settings, and the login, as long as it runs.
func (s Source) loginFolder() string { return filepath.Join(s.Room, "git") }

func (s Source) ssh(room string) string {
	// Git gives this to a shell: the room's name is this program's own, and goes in quotes.
	quote := func(name string) string {
		return "'" + strings.ReplaceAll(filepath.Join(room, name), "'", `'\''`) + "'"
	}
	command := "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=" + quote("known_hosts")
	if s.Login.SSHKey != "" {
		command += " -o IdentitiesOnly=yes -i " + quote("key")
	}
	return command
}

// config is the whole of Git's settings. A repository of this machine may belong to somebody else: it was mounted for this job.
func config(from address, protocols []string) string {
	lines := []string{
		"[core]", "hooksPath = /dev/null", "fsmonitor = false", "autocrlf = false", "symlinks = true",
		"[transfer]", "fsckObjects = true", "[submodule]", "recurse = false", "[gc]", "auto = 0", "[maintenance]", "auto = false",
		"[advice]", "detachedHead = false", "[init]", "defaultBranch = none", "[credential]", "helper =", "[protocol]", "allow = never",
	}
	for _, name := range protocols {
		lines = append(lines, "[protocol "+strconv.Quote(name)+"]", "allow = always")
	}
	if from.protocol == "file" {
		folder := filepath.Clean(from.folder)
		for _, place := range []string{folder, filepath.Join(folder, ".git")} {
			lines = append(lines, "[safe]", "directory = "+strconv.Quote(place))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

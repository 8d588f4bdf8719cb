// Package gocommand reads command lines of the go command: what it is asked to do, with which flags, to which packages.
package gocommand

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Command is a command line as far as it is known here.
type Command struct {
	// Name is what the go command is asked to do: "build", "list".
	Name string
	// Flags are those of the command line and of GOFLAGS, in the order in which the go command takes them.
	Flags []Flag
	// Arguments are packages, files or what a program is given.
	Arguments []string
	// Understood: every flag is known. Where one is not, Arguments may hold a value of it.
	Understood bool
}

// Flag is one flag, its name without dashes.
type Flag struct {
	Name, Value string
	// FromEnvironment: it is in GOFLAGS.
	FromEnvironment bool
}

// Value returns the last value that a flag is given, and whether it is given.
func (c Command) Value(name string) (string, bool) {
	for i := len(c.Flags) - 1; i >= 0; i-- {
		if c.Flags[i].Name == name {
			return c.Flags[i].Value, true
		}
	}
	return "", false
}

// Flags that stand alone or as -flag=value, and flags that take the next argument where no value is joined.
var (
	lone   = words("a asan cover deps e export find compiled json linkshared m modcacherw msan n race retracted test trimpath u v versions work x buildvcs")
	valued = words("C asmflags buildmode compiler covermode coverpkg debug-actiongraph debug-trace exec f gccgoflags gcflags installsuffix ldflags mod modfile o overlay p pgo pkgdir reuse tags toolexec vettool")
)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(list) {
		set[word] = true
	}
	return set
}

// Parse reads a command line, program first, and the value of GOFLAGS. It is false where that is no go command.
func Parse(argv []string, goflags string) (Command, bool) {
	argv = withoutFolder(argv)
	if len(argv) < 2 || filepath.Base(argv[0]) != "go" || strings.HasPrefix(argv[1], "-") {
		return Command{}, false
	}
	c := Command{Name: argv[1], Understood: true}
	fromEnvironment, ok := splitQuoted(goflags)
	c.Understood = ok
	for _, word := range fromEnvironment {
		name, value, joined := cutFlag(word)
		if name == "" || valued[name] && !joined {
			c.Understood = false
		}
		c.addFlag(Flag{name, value, true})
	}
	rest := argv[2:]
	for len(rest) > 0 {
		word := rest[0]
		if word == "--" {
			rest = rest[1:]
			break
		}
		if word == "-" || !strings.HasPrefix(word, "-") {
			break
		}
		rest = rest[1:]
		name, value, joined := cutFlag(word)
		if valued[name] && !joined {
			if len(rest) == 0 {
				c.Understood = false
				break
			}
			value, rest = rest[0], rest[1:]
		}
		c.addFlag(Flag{name, value, false})
	}
	c.Arguments = rest
	return c, true
}

// withoutFolder leaves out a -C before the command: who reads the command line of a running go stands in that folder.
func withoutFolder(argv []string) []string {
	if len(argv) < 2 {
		return argv
	}
	name, _, joined := cutFlag(argv[1])
	switch {
	case name != "C":
		return argv
	case joined:
		return append(argv[:1:1], argv[2:]...)
	case len(argv) > 2:
		return append(argv[:1:1], argv[3:]...)
	}
	return argv
}

func (c *Command) addFlag(flag Flag) {
	if !lone[flag.Name] && !valued[flag.Name] {
		c.Understood = false
	}
	c.Flags = append(c.Flags, flag)
}

// cutFlag takes -name=value and --name=value apart; the name is empty where word is no flag.
func cutFlag(word string) (name, value string, joined bool) {
	if !strings.HasPrefix(word, "-") {
		return "", "", false
	}
	return strings.Cut(strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-"), "=")
}

// splitQuoted splits as the go command splits GOFLAGS: at spaces, but for those in a word that is quoted as a whole.
func splitQuoted(list string) ([]string, bool) {
	var split []string
	for {
		list = strings.TrimLeft(list, " \t\n\r")
		if list == "" {
			return split, true
		}
		if quote := list[0]; quote == '"' || quote == '\'' {
			word, rest, closed := strings.Cut(list[1:], string(quote))
			if !closed {
				return split, false
			}
			split, list = append(split, word), rest
			continue
		}
		end := strings.IndexAny(list, " \t\n\r")
		if end < 0 {
			end = len(list)
		}
		split, list = append(split, list[:end]), list[end:]
	}
}

// ReadParent returns the command line of the process that started this one; none where it cannot be told.
func ReadParent() []string {
	parent := os.Getppid()
	if parent <= 0 {
		return nil
	}
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(parent), "cmdline"))
	if err != nil || len(line) == 0 {
		return nil
	}
	var argv []string
	for _, word := range bytes.Split(bytes.TrimSuffix(line, []byte{0}), []byte{0}) {
		argv = append(argv, string(word))
	}
	return argv
}

// String is the command line as it is printed, words with spaces quoted.
func String(argv []string) string {
	shown := make([]string, len(argv))
	for i, word := range argv {
		shown[i] = word
		if word == "" || strings.ContainsAny(word, " \t\n\"'") {
			shown[i] = fmt.Sprintf("%q", word)
		}
	}
	return strings.Join(shown, " ")
}

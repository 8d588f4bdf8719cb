package jobparameters

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kiln.dev/programs/strictjson"
)

// Linux takes no text of 128 KiB or more as an argument or variable, and not more than a quarter of the stack's limit in all.
const (
	longestArgument = 128<<10 - 1
	allArguments    = 512 << 10
)

// Passed is how a script gets its parameters.
type Passed struct {
	// Arguments are --name=value, or --name-file=PATH.
	Arguments []string
	// Environment is PARAM_NAME=value, or PARAM_NAME_FILE=PATH.
	Environment []string
	// File has all of them as JSON.
	File string
}

// Pass makes arguments and variables, and writes files into a folder that only the script's user reads. A text is passed as it
// is, everything else as JSON; null is left out, as an option that nobody gave. What no argument can hold goes by file.
func (p *Parameters) Pass(folder string) (Passed, error) {
	passed := Passed{File: filepath.Join(folder, "parameters.json")}
	if err := os.WriteFile(passed.File, p.JSON(), 0o400); err != nil {
		return passed, fmt.Errorf("write the parameters: %w", err)
	}
	byFile := p.byFile()
	for _, name := range p.object.Names {
		value := p.object.Values[name]
		if value == nil {
			continue
		}
		text, variable := textOf(value), "PARAM_"+variableOf(name)
		if byFile[name] {
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
				return passed, fmt.Errorf("write the parameter %s: %w", name, err)
			}
			passed.Arguments = append(passed.Arguments, "--"+name+"-file="+path)
			passed.Environment = append(passed.Environment, variable+"_FILE="+path)
			continue
		}
		passed.Arguments = append(passed.Arguments, "--"+name+"="+text)
		passed.Environment = append(passed.Environment, variable+"="+text)
	}
	return passed, nil
}

// byFile names the parameters that go by file: those that no argument can hold, and those that are too much beside the ones before.
func (p *Parameters) byFile() map[string]bool {
	names := map[string]bool{}
	total := 0
	for _, name := range p.object.Names {
		value := p.object.Values[name]
		if value == nil {
			continue
		}
		text, before := textOf(value), len("PARAM_=")+len(name)
		size := 2*len(text) + len(name) + before
		if names[name] = needsFile(text, before) || total+size > allArguments; !names[name] {
			total += size
		}
	}
	return names
}

// needsFile: a value cannot be an argument, with so many bytes before it.
func needsFile(text string, before int) bool {
	return before+len(text) >= longestArgument || strings.Contains(text, "\x00")
}

// textOf is a text as it is, and of another value its JSON.
func textOf(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return string(strictjson.Marshal(value))
}

func variableOf(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// Command kiln-entrypoint is the first process of a container. Of a module's: it reads a request, runs Pulumi or OpenTofu, and
// writes a response, whatever happens. Of a job's: it runs a script, and writes a result.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"kiln.dev/programs/child"
	"kiln.dev/programs/jobrun"
	"kiln.dev/programs/jobscript"
	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/pulumitool"
	"kiln.dev/programs/tofutool"
)

// version is set when an image is built.
var version = "dev"

const usage = `kiln-entrypoint completes one request to a module: {action, inputs, …} in, {success, outputs, changes, …} out.

  kiln-entrypoint [--input FILE] [--output FILE]
                          FILE: /workspace/input.json and /workspace/output.json; events go beside the response
  kiln-entrypoint job     runs a script instead; says more with --help. The same under the name kiln-job
  kiln-entrypoint capabilities
                          what this program can do, as JSON
  kiln-entrypoint --version

Environment:
  KILN_MODULE_TOOL        pulumi or opentofu; otherwise the files of the module decide
  KILN_MODULE_DIR         the module, /app
  KILN_RUN_DIR            folder in memory for what is secret, /run/kiln
  KILN_SECRETS=stdin      a JSON document with secrets is on standard input
  KILN_EVENTS=1           standard output is the events, a JSON document a line
  KILN_GRACE_SECONDS      how long the tool may take to stop, 30
  KILN_IMAGE_DIGEST       digest of the image; a plan is bound to it

Exit codes: 0 done, 1 the tool failed, 2 bad request, 3 refused, 124 deadline, 130 or 143 cancelled
(129 and 131 by SIGHUP and SIGQUIT).
`

const exitUsage = 2

func main() {
	name := filepath.Base(os.Args[0])
	if name == jobscript.AskName && len(os.Args) > 1 {
		os.Exit(jobscript.Answer(os.Args[1], os.Stdout))
	}
	// Where it is refused, orphans go to process 1, which this mostly is.
	_ = child.Adopt()
	args := os.Args[1:]
	if name == "kiln-job" {
		args = append([]string{"job"}, args...)
	}
	os.Exit(run(args, os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "job" {
		return jobrun.Run(args[1:], stdin, stdout, stderr)
	}
	if len(args) > 0 && args[0] == "capabilities" {
		if err := printCapabilities(stdout); err != nil {
			fmt.Fprintf(stderr, "kiln-entrypoint: %v\n", err)
			return 1
		}
		return 0
	}
	flags := flag.NewFlagSet("kiln-entrypoint", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	input := flags.String("input", "/workspace/input.json", "")
	output := flags.String("output", "/workspace/output.json", "")
	showVersion := flags.Bool("version", false, "")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(stdout, usage)
		return 0
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("there is no command %q", flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(stderr, "kiln-entrypoint: %v\n\n%s", err, usage)
		return exitUsage
	}
	if *showVersion {
		fmt.Fprintf(stdout, "kiln-entrypoint %s %s\n", version, moduleprotocol.Version)
		return 0
	}
	return newSession(*input, *output, stdin, stdout, stderr).run()
}

func printCapabilities(out io.Writer) error {
	return json.NewEncoder(out).Encode(map[string]any{
		"api_version": moduleprotocol.Version,
		"version":     version,
		"actions":     moduleprotocol.Actions(),
		"tools":       []string{pulumitool.Name, tofutool.Name},
	})
}

// Command gocache serves packed build caches to the go command, and writes and reads the packs.
//
// The go command starts it by GOCACHEPROG and talks to it on standard input and output; the other commands are for those
// who bake, check and take apart packs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"kiln.dev/programs/record"
	"kiln.dev/programs/serve"
)

const usage = `gocache serves packed Go build caches, and writes and reads the packs.

  gocache [serve]                                serve the packs of $KILN_PACKS to the go command (GOCACHEPROG)
  gocache record --log FILE                      serve the plain directory $GOCACHE, and note what was asked for
  gocache pack --list LIST.json --out FILE       write a pack
  gocache unpack --go-build DIR --go-mod DIR PACK…
                                                 write the entries and sources of packs back as Go keeps them
  gocache show PACK                              print what a pack holds, as JSON
  gocache check PACK…                            compare all content of packs with its digests; 3 where it differs
`

// Exit codes, the same ones as those of the kiln command.
const (
	exitFailed     = 1
	exitUsage      = 2
	exitDifference = 3
)

// errUsage marks an error that the caller mends by other arguments, errDifference content that is not what it should be.
var (
	errUsage      = errors.New("usage")
	errDifference = errors.New("difference")
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	name := "serve"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch name {
	case "serve":
		return serve.Run(args, stdin, stdout, stderr)
	case "record":
		return record.Run(args, stdin, stdout, stderr)
	case "pack":
		return exitCode(writePack(args, stdout), stderr)
	case "unpack":
		return exitCode(unpack(args), stderr)
	case "show":
		return exitCode(show(args, stdout), stderr)
	case "check":
		return exitCode(check(args), stderr)
	case "-h", "-help", "--help", "help":
		return exitCode(printUsage(stdout), stderr)
	default:
		return exitCode(fmt.Errorf("%w: there is no command %q", errUsage, name), stderr)
	}
}

func printUsage(stdout io.Writer) error {
	_, err := io.WriteString(stdout, usage)
	return err
}

// exitCode reports err, where there is one, and returns the exit code that it stands for.
func exitCode(err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "gocache: %v\n\n%s", err, usage)
		return exitUsage
	case errors.Is(err, errDifference):
		fmt.Fprintf(stderr, "gocache: %v\n", err)
		return exitDifference
	default:
		fmt.Fprintf(stderr, "gocache: %v\n", err)
		return exitFailed
	}
}

// parse reads flags that are all required, and between least and most arguments after them (most < 0: any number).
func parse(command string, args []string, required map[string]*string, least, most int) ([]string, error) {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	for name, value := range required {
		flags.StringVar(value, name, "", "")
	}
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errUsage, command, err)
	}
	for name, value := range required {
		if *value == "" {
			return nil, fmt.Errorf("%w: %s needs --%s", errUsage, command, name)
		}
	}
	if n := flags.NArg(); n < least || most >= 0 && n > most {
		return nil, fmt.Errorf("%w: %s takes other arguments than the %d given", errUsage, command, n)
	}
	return flags.Args(), nil
}

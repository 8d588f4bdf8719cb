package serve

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"kiln.dev/programs/record"
)

// The test's own program is the GOCACHEPROG of the go commands that tests start: this says as what.
const roleVariable = "KILN_TEST_ROLE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		code := m.Run()
		if fixtureFolder != "" {
			os.RemoveAll(fixtureFolder)
		}
		os.Exit(code)
	case "serve":
		if file := os.Getenv("KILN_TEST_PID"); file != "" {
			os.WriteFile(file, []byte(strconv.Itoa(os.Getpid())), 0o666)
		}
		os.Exit(Run(nil, os.Stdin, os.Stdout, os.Stderr))
	case "record":
		os.Exit(record.Run([]string{"--log", os.Getenv("KILN_TEST_LOG")}, os.Stdin, os.Stdout, os.Stderr))
	default:
		fmt.Fprintln(os.Stderr, "unknown role", role)
		os.Exit(1)
	}
}

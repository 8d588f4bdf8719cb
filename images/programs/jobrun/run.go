// Package jobrun is one job in its container, from the environment to the result: whatever happens, what the script wrote and
// left is kept, what was borrowed is given back, and result.json says how it ended.
package jobrun

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/redact"
)

// Usage of the command.
const Usage = `kiln-entrypoint job runs one script: JOB_ID, SCRIPT_ID and PARAMETERS in, result.json, logs and artifacts out.

  kiln-entrypoint job      all that it does comes from the environment
  kiln-entrypoint job hand-over FILE... FOLDER
                           copies secrets to where KILN_SECRETS=once takes them from: for an init container

Environment:
  JOB_ID, JOB_ATTEMPT      names of the job and of this attempt at it (1)
  SCRIPT_ID                the script below /workspace/scripts, without .py or .ps1
  SCRIPT_REPO, SCRIPT_REF  a repository to take it from, and the whole commit
  PARAMETERS               JSON object; PARAMETERS_FILE names a file of more than 100 KiB
  ARTIFACTS_DIR            where the script leaves what is to be kept, /workspace/artifacts
  KILN_SECRETS=stdin       a JSON document with secrets is on standard input; file: in KILN_SECRETS_FILE; once: there, and
                           removed when it is read
  KILN_EVENTS=1            standard output is the events, a JSON document a line
  KILN_OUTPUT=stdout       and at the end the logs, artifacts and result, in the same way
  KILN_SCRIPT_TIMEOUT, KILN_IDLE_TIMEOUT, KILN_JOB_TIMEOUT
                           seconds for the script, without output, and for everything
  KILN_GRACE_SECONDS       between SIGTERM and SIGKILL, 10
  KILN_FINISH_SECONDS      kept for artifacts, Vault and the result, 10
  KILN_OUTPUT_BYTES, KILN_ARTIFACT_BYTES, KILN_ARTIFACT_FILE_BYTES, KILN_ARTIFACT_COUNT, KILN_DISK_BYTES
  RESULT_URL               where the result is posted
  VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT, KILN_VAULT
                           secrets to take from Vault

Exit codes: the script's own; 124 a timeout, 130 or 143 cancelled (129 and 131 by SIGHUP and SIGQUIT); 2 bad request;
1 anything else that kept it from running. result.json says which, in error_detail.code.
`

// Run runs the job of this process's environment and returns the exit code of its container.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		if args[0] == "--help" || args[0] == "-h" {
			_, _ = io.WriteString(stdout, Usage)
			return 0
		}
		if args[0] == "hand-over" {
			return handOver(args[1:], stderr)
		}
		fmt.Fprintf(stderr, "kiln-entrypoint: job takes no argument %q\n\n%s", args[0], Usage)
		return 2
	}
	harden()
	j := &job{started: time.Now(), redactor: redact.New(), stdin: stdin, stdout: stdout, stderr: stderr}
	ctx, ignoreSignals := watchSignals()
	defer ignoreSignals()
	code, err := j.run(ctx)
	if err == nil && j.settings.PrintsOutput {
		err = printOutput(j.settings.Output, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "kiln-entrypoint: %s\n", unwritten(err))
		return 1
	}
	return code
}

// harden keeps the script, which is of the same user, from reading this process's memory; keeps a reader that went away from
// ending the job; and has threads ready, which a script that takes all processes of the container would deny later.
func harden() {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // a second line of defence: nothing depends on it
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	reserveThreads(spareThreads)
}

const spareThreads = 12

// reserveThreads makes the runtime start so many threads, which it keeps for later. Each goroutine has one to itself until all have:
// one that only waited in the kernel could be over before the runtime, on a busy machine, sees that it needs another thread.
func reserveThreads(count int) {
	var held, all sync.WaitGroup
	held.Add(count)
	for range count {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			held.Done()
			held.Wait()
		})
	}
	all.Wait()
}

// unwritten says why there is no result, and what to do where the folder of the host is not this user's.
func unwritten(err error) string {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Sprintf("%v: uid %d has to be able to write there (a volume, chmod 777, or docker run --user)", err, os.Getuid())
	}
	return err.Error()
}

// printFailure is for people: with KILN_EVENTS=1 the events have it.
func (j *job) printFailure(failure *jobprotocol.Failure) {
	if failure != nil {
		fmt.Fprintf(j.stderr, "kiln-entrypoint: %s: %s\n", failure.Code, failure.Message)
	}
}

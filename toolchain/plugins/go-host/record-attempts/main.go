// Runs a command and records every address that it or its children try to reach over HTTP, Go's module downloads and
// Pulumi's plugin downloads among them: it is their proxy, and refuses each request. Prints the attempts after the
// command's end, one `kiln-attempt METHOD TARGET` a line, and exits as the command did.
package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "record-attempts:", err)
	}
	os.Exit(code)
}

func run(command []string) (int, error) {
	if len(command) == 0 {
		return 2, errors.New("usage: record-attempts COMMAND [ARGUMENT…]")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1, err
	}
	record := &recorder{}
	go http.Serve(listener, record)

	child := exec.Command(command[0], command[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.Env = os.Environ()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		child.Env = append(child.Env, name+"=http://"+listener.Addr().String())
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		child.Env = append(child.Env, name+"=localhost,127.0.0.1")
	}
	err = child.Run()
	record.print()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

type recorder struct {
	mutex    sync.Mutex
	attempts []string
}

func (record *recorder) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	record.mutex.Lock()
	record.attempts = append(record.attempts, request.Method+" "+request.RequestURI)
	record.mutex.Unlock()
	http.Error(response, "recorded and refused", http.StatusBadGateway)
}

func (record *recorder) print() {
	record.mutex.Lock()
	defer record.mutex.Unlock()
	for _, attempt := range record.attempts {
		fmt.Println("kiln-attempt", attempt)
	}
}

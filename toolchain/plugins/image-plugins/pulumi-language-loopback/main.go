// Pulumi's language hosts for images that are made where the official ones cannot be had: Node, Python and Go, as far as
// running a program goes. Which one it is says the name that it is started by, such as pulumi-language-python. Dependencies
// and plugins are installed when an image is built, so it installs none and names none. The protocol is
// pulumi/language.proto.
package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Larger than gRPC's own limit, as the engine has it: programs hand over whole files.
const maxMessageBytes = 400 << 20

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "loopback language host:", err)
		os.Exit(1)
	}
}

func serve() error {
	launch, err := launcherOf(filepath.Base(os.Args[0]))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes))
	host := &languageHost{launch: launch}
	if len(os.Args) > 1 {
		host.engine = os.Args[len(os.Args)-1]
	}
	pulumirpc.RegisterLanguageRuntimeServer(server, host)
	// The engine reads the port from the first line of standard output.
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	return server.Serve(listener)
}

// launcherOf is how the programs of the runtime that an executable is named after are started.
func launcherOf(executable string) (launcher, error) {
	runtime, _ := strings.CutPrefix(executable, "pulumi-language-")
	launch, isKnown := launchers[runtime]
	if !isKnown {
		return nil, fmt.Errorf("started as %s, which is no language host that this program can be", executable)
	}
	return launch, nil
}

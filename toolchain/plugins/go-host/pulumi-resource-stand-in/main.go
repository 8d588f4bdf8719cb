// A provider of any package, for previews on machines that cannot get the official one: it accepts every input and gives
// it back as output. Installed as `resource-<name>-v<version>/pulumi-resource-<name>`, it is that package in that version.
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

// Larger than gRPC's own limit, as the engine has it.
const maxMessageBytes = 400 << 20

func main() {
	if err := serve(versionOf(os.Args[0])); err != nil {
		fmt.Fprintln(os.Stderr, "stand-in provider:", err)
		os.Exit(1)
	}
}

func serve(version string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes))
	pulumirpc.RegisterResourceProviderServer(server, &provider{version: version})
	// The engine reads the port from the first line of standard output.
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	return server.Serve(listener)
}

// versionOf is the version in the folder that Pulumi keeps a plugin in; empty where the path names none.
func versionOf(executable string) string {
	folder := filepath.Base(filepath.Dir(executable))
	name := strings.TrimPrefix(filepath.Base(executable), "pulumi-")
	version, _ := strings.CutPrefix(folder, name+"-v")
	if version == folder {
		return ""
	}
	return version
}

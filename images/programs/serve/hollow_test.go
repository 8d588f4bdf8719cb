package serve

import (
	"strings"
	"testing"

	"kiln.dev/programs/gocommand"
)

// pulumi is how Pulumi's language host for Go builds a program.
const pulumi = `go build -buildvcs=false -o /tmp/pulumi-go.123 -trimpath -ldflags=-w_-s`

func TestWhichCommandsMayBeAnsweredHollow(t *testing.T) {
	for _, c := range []struct {
		line   string // words; _ stands for a space inside one
		flags  string // GOFLAGS
		cwd    string
		hollow bool
	}{
		{line: pulumi, hollow: true},
		{line: `/usr/local/go/bin/go build -buildvcs=false -o /tmp/x -trimpath -ldflags -w_-s .`, hollow: true},
		{line: `go build`, hollow: true},
		{line: `go build .`, hollow: true},
		{line: `go build ./...`, hollow: true},
		{line: `go build -v -x -p 4 -tags a,b ../other ./cmd`, hollow: true},
		{line: `go build --trimpath --o=/tmp/x .`, hollow: true},
		{line: `go build -C sub -o x .`, hollow: true},
		{line: `go build -mod=mod -modfile=other.mod -modcacherw ./x`, hollow: true},
		{line: `go build -gcflags=all=-N_-l -asmflags=-x .`, hollow: true},
		{line: `go build -- .`, hollow: true},
		{line: `go -C sub build .`, hollow: true},
		{line: `go run .`, hollow: true},
		{line: `go run ./cmd -export -toolexec x`, hollow: true},
		{line: `go list -deps -f {{.Dir}} ./...`, hollow: true},
		{line: `go list -json=Dir,Stale .`, hollow: true},
		{line: `go list -e -find`, hollow: true},
		{line: pulumi, flags: `-mod=readonly -buildvcs=false`, hollow: true},
		{line: pulumi, flags: `'-ldflags=-w -s' "-tags=a b"`, hollow: true},

		{line: `go build -a .`},
		{line: `go build -n .`},
		{line: `go build -race .`},
		{line: `go build -cover .`},
		{line: `go build -toolexec x .`},
		{line: `go build -buildmode=c-archive .`},
		{line: `go build -linkshared .`},
		{line: `go build -overlay o.json .`},
		{line: `go build -pkgdir /tmp/pkg .`},
		{line: `go build -compiler gccgo .`},
		{line: `go build -pgo=off .`},
		{line: `go build -json .`},
		{line: `go build -o`},
		{line: `go build -flag-of-tomorrow .`},
		{line: `go build main.go`},
		{line: `go build example.com/m`},
		{line: `go build github.com/pulumi/pulumi/sdk/v3/go/pulumi`},
		{line: `go build -o x.a github.com/pulumi/pulumi/sdk/v3/go/pulumi`},
		{line: `go build /home/me/program`},
		{line: `go build ./... std`},
		{line: `go build .hidden`},
		{line: `go build -mod=vendor -o x.a ./vendor/example.com/m`},
		{line: `go build -o x.a .`, cwd: "/home/me/program/vendor/example.com/m"},
		{line: `go build ../../../var/cache/go-mod/example.com/m@v1.0.0`},
		{line: `go build ../../../usr/local/go/src/fmt`},
		{line: `go build ../../../var/...`},
		{line: `go build .`, cwd: "/var/cache/go-mod/example.com/m@v1.0.0"},
		{line: `go build .`, cwd: "/usr/local/go/src/cmd/go"},
		{line: `go build ./...`, cwd: "/"},
		{line: `go build .`, cwd: "relative"},
		{line: `go run`},
		{line: `go run -exec x .`},
		{line: `go run main.go`},
		{line: `go run example.com/tool@v1.0.0`},
		{line: `go list -export .`},
		{line: `go list -compiled .`},
		{line: `go list -test ./...`},
		{line: `go list -m all`},
		{line: `go list -deps std`},
		{line: `go vet ./...`},
		{line: `go test ./...`},
		{line: `go install .`},
		{line: `go tool nm x.a`},
		{line: `go`},
		{line: `gopls build .`},
		{line: `sh -c go_build`},
		{line: pulumi, flags: `-toolexec=x`},
		{line: pulumi, flags: `-race`},
		{line: pulumi, flags: `'-ldflags=-w`},
		{line: pulumi, flags: `-ldflags -w`},
		{line: pulumi, flags: `nonsense`},
		{line: pulumi, flags: `-mod=readonly -export`},
	} {
		argv := strings.Fields(c.line)
		for i := range argv {
			argv[i] = strings.ReplaceAll(argv[i], "_", " ")
		}
		at := places{cwd: c.cwd, goRoot: "/usr/local/go", goModCache: "/var/cache/go-mod"}
		if at.cwd == "" {
			at.cwd = "/home/me/program"
		}
		command, ok := gocommand.Parse(argv, c.flags)
		if got := ok && mayBeHollow(command, at); got != c.hollow {
			t.Errorf("%s (GOFLAGS=%q, in %s): hollow: %v", c.line, c.flags, at.cwd, got)
		}
	}
}

func TestPlacesThatCannotBeToldAreForeign(t *testing.T) {
	command, _ := gocommand.Parse([]string{"go", "build"}, "")
	for _, at := range []places{{}, {cwd: "/home/me"}, {cwd: "/home/me", goRoot: "/usr/local/go"}} {
		if mayBeHollow(command, at) {
			t.Errorf("hollow at %+v", at)
		}
	}
}

package restore

import (
	"reflect"
	"testing"
)

func TestWhatIsPutBack(t *testing.T) {
	two := []string{sdk + "/two/notes.txt", sdk + "/two/three/four.s", sdk + "/two/three/three.go", sdk + "/two/two.go"}
	for name, c := range map[string]struct {
		program     map[string]string
		line        string
		environment map[string]string
		want        []string
	}{
		"nothing is missing": {
			program: map[string]string{"main.go": uses("example.com/sdk/one", "os")}, line: "go build .",
		},
		"a package and what it imports": {
			program: map[string]string{"main.go": uses("example.com/sdk/two")}, line: "go build -o x",
			want: two,
		},
		"the root of a module": {
			program: map[string]string{"main.go": uses("example.com/sdk")}, line: "go build", want: []string{sdk + "/top.go"},
		},
		"a module in a module": {
			program: map[string]string{"main.go": uses("example.com/sdk/nested/p")}, line: "go vet .",
			want: []string{"example.com/sdk/nested@v0.1.0/p/p.go"},
		},
		"embedded files": {
			program: map[string]string{"main.go": uses("example.com/sdk/art")}, line: "go build",
			want: []string{sdk + "/art/art.go", sdk + "/art/files/deep/a.txt"},
		},
		"a module without an index, whole": {
			program: map[string]string{"main.go": uses("example.com/Other/x")}, line: "go run . -v",
			want: []string{other + "/doc/README", other + "/x/x.go", other + "/y/y.go", sdk + "/far/far.go"},
		},
		"through a package of the program": {
			program: map[string]string{"main.go": uses("example.com/program/p"), "p/p.go": uses("example.com/sdk/far")},
			line:    "go build .", want: []string{sdk + "/far/far.go"},
		},
		"another folder is not built": {
			program: map[string]string{"main.go": uses(), "p/p.go": uses("example.com/sdk/far")}, line: "go build .",
		},
		"all folders": {
			program: map[string]string{
				"p/p.go": uses("example.com/sdk/far"), "testdata/t.go": uses("example.com/sdk/art"),
				"_x/x.go": uses("example.com/sdk/art"), "m/m.go": uses("example.com/sdk/art"), "m/go.mod": "module m\n",
			},
			line: "go build ./...", want: []string{sdk + "/far/far.go"},
		},
		"tests": {
			program: map[string]string{"main.go": uses(), "main_test.go": uses("example.com/sdk/far")},
			line:    "go test -run x .", want: []string{sdk + "/far/far.go"},
		},
		"a file": {
			program: map[string]string{"p/main.go": uses("example.com/sdk/far")}, line: "go run p/main.go",
			want: []string{sdk + "/far/far.go"},
		},
		"an import path of the program": {
			program: map[string]string{"p/main.go": uses("example.com/sdk/far")}, line: "go build example.com/program/p",
			want: []string{sdk + "/far/far.go"},
		},
		"a shipped package by name": {
			program: map[string]string{"main.go": uses()}, line: "go build example.com/sdk/far",
			want: []string{sdk + "/far/far.go"},
		},
		"a flag that is not known": {
			program: map[string]string{"main.go": uses("example.com/sdk/far")}, line: "go build -new flag",
			want: []string{sdk + "/far/far.go"},
		},
		"a local replacement": {
			program: map[string]string{
				"main.go": uses("example.com/lib/p"), "go.mod": "module m\nreplace (\n\texample.com/lib v1.0.0 => ./lib // here\n)\n",
				"lib/p/p.go": uses("example.com/sdk/far"),
			},
			line: "go build", want: []string{sdk + "/far/far.go"},
		},
		"a replacement by another module": {
			program: map[string]string{
				"main.go": uses("example.com/old/far"), "go.mod": "module m\nreplace example.com/old => \"example.com/sdk\" v1.0.0\n",
			},
			line: "go build", want: []string{sdk + "/far/far.go"},
		},
		"a workspace": {
			program: map[string]string{
				"go.work": "go 1.26\nuse .\nuse ./lib\n", "lib/go.mod": "module example.com/lib\n",
				"lib/lib.go": uses("example.com/sdk/far"), "main.go": uses("example.com/lib"),
			},
			line: "go build", want: []string{sdk + "/far/far.go"},
		},
		"no workspace": {
			program: map[string]string{
				"go.work": "use ./lib\n", "lib/go.mod": "module example.com/lib\n",
				"lib/lib.go": uses("example.com/sdk/far"), "main.go": uses("example.com/lib"),
			},
			line: "go build", environment: map[string]string{"GOWORK": "off"},
		},
		"another go.mod": {
			program: map[string]string{
				"main.go": uses("example.com/lib"), "other.mod": "module m\nreplace example.com/lib => ./lib\n",
				"lib/lib.go": uses("example.com/sdk/far"),
			},
			line: "go build -modfile=other.mod", want: []string{sdk + "/far/far.go"},
		},
		"vendored": {
			program: map[string]string{"main.go": uses("example.com/sdk/two"), "vendor/modules.txt": ""}, line: "go build",
		},
		"vendored by a flag": {
			program: map[string]string{"main.go": uses("example.com/sdk/two")}, line: "go build -mod=vendor",
		},
		"not vendored by a flag": {
			program: map[string]string{"main.go": uses("example.com/sdk/far"), "vendor/modules.txt": ""},
			line:    "go build -mod=mod", want: []string{sdk + "/far/far.go"},
		},
		"other tags": {
			program: map[string]string{"main.go": uses("example.com/sdk/one")}, line: "go build -tags=x",
			want: []string{sdk + "/far/far.go", sdk + "/one/other_windows.go"},
		},
		"another system": {
			program: map[string]string{"main.go": uses("example.com/sdk/one")}, line: "go build",
			environment: map[string]string{"GOOS": "windows"},
			want:        []string{sdk + "/far/far.go", sdk + "/one/other_windows.go"},
		},
		"vendoring": {
			program: map[string]string{"p/p.go": uses("example.com/sdk/far")}, line: "go mod vendor",
			want: []string{sdk + "/far/far.go"},
		},
		"modules only": {
			program: map[string]string{"main.go": uses("example.com/sdk/two")}, line: "go list -m all",
		},
		"another module cache": {
			program: map[string]string{"main.go": uses("example.com/sdk/two")}, line: "go build",
			environment: map[string]string{"GOMODCACHE": "/nowhere"},
		},
		"a file that does not parse": {
			program: map[string]string{"main.go": "package main\nimport _ \"example.com/sdk/far\"\nfunc {"}, line: "go build",
			want: []string{sdk + "/far/far.go"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, c.program)
			_, said := s.missing(c.line, c.environment)
			if got := s.added(); !reflect.DeepEqual(got, c.want) || said != "" {
				t.Errorf("put back %q, said %q", got, said)
			}
			if again, _ := s.missing(c.line, c.environment); len(again) > 0 {
				t.Errorf("put back once more: %v", again)
			}
		})
	}
}

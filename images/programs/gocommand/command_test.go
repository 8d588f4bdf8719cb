package gocommand

import (
	"reflect"
	"testing"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		argv    []string
		goflags string
		want    Command
	}{
		"values joined and apart": {
			argv: []string{"/usr/bin/go", "build", "-o", "x", "-ldflags=-w -s", "--tags", "a", "-v", "./a", "-b"},
			want: Command{
				Name:      "build",
				Flags:     []Flag{{"o", "x", false}, {"ldflags", "-w -s", false}, {"tags", "a", false}, {"v", "", false}},
				Arguments: []string{"./a", "-b"}, Understood: true,
			},
		},
		"GOFLAGS come first": {
			argv: []string{"go", "list", "-m", "all"}, goflags: " -mod=mod  '-tags=a b' \"-v\"\t",
			want: Command{
				Name:      "list",
				Flags:     []Flag{{"mod", "mod", true}, {"tags", "a b", true}, {"v", "", true}, {"m", "", false}},
				Arguments: []string{"all"}, Understood: true,
			},
		},
		"a folder before the command": {
			argv: []string{"go", "-C", "x", "build", "."},
			want: Command{Name: "build", Arguments: []string{"."}, Understood: true},
		},
		"a joined folder before the command": {
			argv: []string{"go", "--C=x", "build", "."},
			want: Command{Name: "build", Arguments: []string{"."}, Understood: true},
		},
		"an end of flags": {
			argv: []string{"go", "build", "-v", "--", "-x"},
			want: Command{Name: "build", Flags: []Flag{{"v", "", false}}, Arguments: []string{"-x"}, Understood: true},
		},
		"an unknown flag": {
			argv: []string{"go", "build", "-new", "value", "."},
			want: Command{Name: "build", Flags: []Flag{{"new", "", false}}, Arguments: []string{"value", "."}},
		},
		"a value that is not there": {
			argv: []string{"go", "build", "-o"},
			want: Command{Name: "build", Arguments: []string{}},
		},
	} {
		got, ok := Parse(c.argv, c.goflags)
		if !ok || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	for _, argv := range [][]string{nil, {"go"}, {"node", "build"}, {"go", "-C"}, {"go", "-C", "x"}, {"go", "-x", "build"}} {
		if got, ok := Parse(argv, ""); ok {
			t.Errorf("%v is a go command: %+v", argv, got)
		}
	}
}

func TestTheLastValueCounts(t *testing.T) {
	command, _ := Parse([]string{"go", "build", "-mod=mod", "-mod", "vendor"}, "-mod=readonly")
	if value, ok := command.Value("mod"); !ok || value != "vendor" {
		t.Errorf("-mod is %q, %v", value, ok)
	}
	if _, ok := command.Value("tags"); ok {
		t.Error("-tags is given")
	}
}

func TestString(t *testing.T) {
	if got := String([]string{"go", "build", "-ldflags=-w -s", ""}); got != `go build "-ldflags=-w -s" ""` {
		t.Error(got)
	}
}

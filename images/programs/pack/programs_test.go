package pack

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestProgramsAreFoundByTheirPackage(t *testing.T) {
	random := rand.New(rand.NewPCG(30, 31))
	s := newStore(t)
	var archives []string
	var ids []ID
	for range 5 {
		_, id := s.put(goArchive(random, "m.example/a", 50), false)
		ids = append(ids, id)
		archives = append(archives, id.String()[:16])
	}
	unknown := strings.Repeat("ab", 8)
	sources := strings.Repeat("0c", 32)
	s.list.Programs = []ProgramList{
		{Package: "b.example/other", Sources: sources},
		{Package: "a.example/main", Sources: sources, Archives: append(slices.Clone(archives[1:4]), unknown, archives[1])},
	}
	r := open(t, s.pack())
	set := Set{r}
	found := set.Programs("a.example/main")
	if len(found) != 1 || found[0].Sources.String() != sources || len(set.Programs("none.example")) != 0 {
		t.Fatal(found)
	}
	var outputs []ID
	for _, o := range set.Archives(found[0]) {
		outputs = append(outputs, o.ID)
	}
	slices.SortFunc(outputs, compareIDs)
	want := slices.Clone(ids[1:4])
	slices.SortFunc(want, compareIDs)
	if !slices.Equal(outputs, want) {
		t.Fatalf("reads %v, and not %v", outputs, want)
	}
	if other := set.Programs("b.example/other"); len(other) != 1 || len(set.Archives(other[0])) != 0 {
		t.Fatal(other)
	}
}

func TestAProgramThatIsNotOneIsRefused(t *testing.T) {
	digest := strings.Repeat("0", 64)
	for what, p := range map[string]ProgramList{
		"no package":    {Sources: digest},
		"no digest":     {Package: "a", Sources: "0c"},
		"a long prefix": {Package: "a", Sources: digest, Archives: []string{digest}},
		"no digits":     {Package: "a", Sources: digest, Archives: []string{"zzzzzzzzzzzzzzzz"}},
		"a long name":   {Package: strings.Repeat("a", maxPackage+1), Sources: digest},
	} {
		s := newStore(t)
		s.list.Programs = []ProgramList{p}
		if _, err := Write(s.list, filepath.Join(t.TempDir(), "a.pack")); err == nil {
			t.Errorf("%s: packed", what)
		}
	}
}

func TestProgramsThatAreCutOffAreDamage(t *testing.T) {
	p := Program{Package: "a.example/main", archives: []prefix{{1}, {2}}}
	whole := appendProgram(appendProgram(nil, p), Program{Package: "b"})
	for n := range whole {
		programs, err := parsePrograms(whole[:n])
		if first := appendProgram(nil, p); n != 0 && n != len(first) && err == nil {
			t.Errorf("%d of %d bytes are %v", n, len(whole), programs)
		}
	}
}

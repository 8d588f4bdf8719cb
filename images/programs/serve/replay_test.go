package serve

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"kiln.dev/programs/diskcache"
	"kiln.dev/programs/fakego"
	"kiln.dev/programs/pack"
)

// replayedBuild plays the go command for one build of the fixture after an edit: it asks for actions in the order of the
// graph, and for each that is missed reads the inputs that a compiler or linker would read, and compares all of them.
type replayedBuild struct {
	fixture *fixture
	client  *fakego.Client
	random  func(n int) int
	edited  map[string]bool

	mutex sync.Mutex
	done  map[string]chan struct{}
	built map[string]fakego.Response
	dirty map[string]bool
}

// replay plays n builds after random edits, several asking at once, and checks what each one would have read.
func replay(t *testing.T, n int, seed uint64) {
	f := warmed(t)
	packs, err := pack.OpenSet(f.packs)
	if err != nil {
		t.Fatal(err)
	}
	defer packs.Close()
	random := rand.New(rand.NewPCG(seed, 6))
	temp, own := t.TempDir(), t.TempDir()
	for i := range n {
		edited := map[string]bool{}
		// Mostly the program's own packages, now and then one below, and sometimes nothing.
		for range random.IntN(3) {
			from := len(f.packages) - 5
			if random.IntN(6) == 0 {
				from = 0
			}
			edited[f.packages[from+random.IntN(len(f.packages)-from)].path] = true
		}
		if err := replayOne(packs, f, edited, random.Uint64(), temp, own); err != nil {
			t.Fatalf("build %d, edited %v: %v", i, edited, err)
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left in TMPDIR: %v, %v", left, err)
	}
}

func replayOne(packs pack.Set, f *fixture, edited map[string]bool, seed uint64, temp, own string) error {
	scratch, err := newScratch(temp)
	if err != nil {
		return err
	}
	s := &session{packs: packs, own: diskcache.Directory(own), scratch: scratch, stats: newStats(), hollow: true, stderr: io.Discard}
	fromGo, toServer := io.Pipe()
	fromServer, toGo := io.Pipe()
	served := make(chan error, 1)
	go func() {
		err := s.serve(fromGo, toGo)
		toGo.Close()
		fromGo.Close()
		served <- err
	}()
	client, err := fakego.Dial(toServer, fromServer)
	if err != nil {
		return err
	}
	var guard sync.Mutex
	source := rand.New(rand.NewPCG(seed, 1))
	b := &replayedBuild{fixture: f, client: client, edited: edited, random: func(n int) int {
		guard.Lock()
		defer guard.Unlock()
		return source.IntN(n)
	}, done: map[string]chan struct{}{}, built: map[string]fakego.Response{}, dirty: map[string]bool{}}
	return errors.Join(b.run(), client.Close(), <-served)
}

func (b *replayedBuild) run() error {
	for _, p := range b.fixture.packages {
		b.done[p.path] = make(chan struct{})
	}
	// As many at once as the go command has on a small machine.
	slots, failed := make(chan struct{}, 4), make(chan error, len(b.fixture.packages))
	var group sync.WaitGroup
	for _, p := range b.fixture.packages {
		group.Go(func() {
			defer close(b.done[p.path])
			for _, path := range p.imports {
				<-b.done[path]
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := b.compile(p); err != nil {
				failed <- fmt.Errorf("%s: %w", p.path, err)
			}
		})
	}
	group.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return err
	}
	return b.link()
}

// compile asks for a package, and makes it where it is missed: from inputs that have to be whole by then.
func (b *replayedBuild) compile(p fixturePackage) error {
	b.mutex.Lock()
	dirty := b.edited[p.path]
	for _, path := range p.imports {
		dirty = dirty || b.dirty[path]
	}
	b.dirty[p.path] = dirty
	b.mutex.Unlock()
	action := p.action
	if dirty {
		action = b.newAction()
	}
	found, err := b.client.Get(action)
	if err != nil {
		return err
	}
	if found.Miss != dirty {
		return fmt.Errorf("missed: %v", found.Miss)
	}
	if dirty {
		for _, path := range p.imports {
			if err := b.read(path); err != nil {
				return err
			}
		}
		content := fmt.Appendf(nil, "!<arch>\n%s %x %0*d", p.path, action, b.random(200_000), 0)
		if found, err = b.client.Put(action, sha256.Sum256(content), content); err != nil {
			return err
		}
		found.OutputID, found.Size = hashOf(content), int64(len(content))
	}
	if info, err := os.Stat(found.DiskPath); err != nil || info.Size() != found.Size {
		return fmt.Errorf("%s is not as large as was said: %v", found.DiskPath, err)
	}
	b.mutex.Lock()
	b.built[p.path] = found
	b.mutex.Unlock()
	if !dirty && b.random(2) == 0 {
		_, err = b.client.Get(subkey(action, "stdout"))
	}
	return err
}

func TestReplayedEditsReadWhatWasPut(t *testing.T) { replay(t, 40, 5) }

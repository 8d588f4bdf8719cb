package cacheprog_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"kiln.dev/programs/cacheprog"
	"kiln.dev/programs/fakego"
)

// memory keeps content in memory; a path is "size:hash" there.
type memory struct {
	mutex  sync.Mutex
	kept   map[cacheprog.ID]cacheprog.Answer
	parked []func(cacheprog.Answer)
	get    func(cacheprog.ID, func(cacheprog.Answer)) bool
	closed error
}

func (m *memory) Get(action cacheprog.ID, answer func(cacheprog.Answer)) func() {
	if m.get != nil && m.get(action, answer) {
		return nil
	}
	m.mutex.Lock()
	kept, ok := m.kept[action]
	m.mutex.Unlock()
	if !ok {
		answer(cacheprog.Answer{Miss: true})
		return nil
	}
	return func() { answer(kept) }
}

func (m *memory) Put(put cacheprog.Put) cacheprog.Answer {
	hash := sha256.New()
	n, err := io.Copy(hash, put.Body)
	if err != nil || n != put.Size || cacheprog.ID(hash.Sum(nil)) != put.Output {
		return cacheprog.Answer{Err: fmt.Sprintf("%d of %d bytes arrived: %v", n, put.Size, err)}
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	answer := cacheprog.Answer{Output: put.Output, Size: put.Size, DiskPath: fmt.Sprintf("%d:%x", put.Size, put.Output)}
	m.kept[put.Action] = answer
	return answer
}

func (m *memory) Close() error { return m.closed }

func start(t *testing.T, handler cacheprog.Handler) (*fakego.Client, chan error) {
	t.Helper()
	fromGo, toServer := io.Pipe()
	fromServer, toGo := io.Pipe()
	served := make(chan error, 1)
	go func() {
		err := cacheprog.Serve(fromGo, toGo, handler)
		toGo.Close()
		fromGo.Close()
		served <- err
	}()
	client, err := fakego.Dial(toServer, fromServer)
	if err != nil {
		t.Fatal(err)
	}
	return client, served
}

func TestContentArrivesAsItLeft(t *testing.T) {
	client, served := start(t, &memory{kept: map[cacheprog.ID]cacheprog.Answer{}})
	random := rand.NewChaCha8([32]byte{7})
	var group sync.WaitGroup
	for i, size := range []int{0, 1, 2, 3, 4, 767, 768, 12287, 12288, 12289, 64 << 10, 64<<10 + 1, 1 << 20, 3<<20 + 5} {
		body := make([]byte, size)
		random.Read(body)
		group.Go(func() {
			action, output := cacheprog.ID{byte(i)}, sha256.Sum256(body)
			put, err := client.Put(action, output, body)
			if err != nil {
				t.Errorf("put of %d bytes: %v", size, err)
				return
			}
			got, err := client.Get(action)
			if err != nil || got.Miss || got.DiskPath != put.DiskPath || got.Size != int64(size) ||
				!bytes.Equal(got.OutputID, output[:]) {
				t.Errorf("get of %d bytes: %+v, %v", size, got, err)
			}
		})
	}
	group.Wait()
	if r, err := client.Get(cacheprog.ID{200}); err != nil || !r.Miss {
		t.Errorf("get of nothing: %+v, %v", r, err)
	}
	if err := client.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("served: %v", err)
	}
}

func TestAnswersLeaveInTheOrderInWhichTheyAreFound(t *testing.T) {
	late := make(chan func(cacheprog.Answer), 1)
	client, _ := start(t, &memory{get: func(action cacheprog.ID, answer func(cacheprog.Answer)) bool {
		if action == (cacheprog.ID{1}) {
			late <- answer
			return true
		}
		return false
	}})
	slow := make(chan fakego.Response)
	go func() {
		r, _ := client.Get(cacheprog.ID{1})
		slow <- r
	}()
	answer := <-late
	for range 200 {
		if r, err := client.Get(cacheprog.ID{2}); err != nil || !r.Miss {
			t.Fatalf("a request behind a waiting one: %+v, %v", r, err)
		}
	}
	answer(cacheprog.Answer{DiskPath: "late"})
	if r := <-slow; r.DiskPath != "late" {
		t.Errorf("late answer: %+v", r)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

func TestHangup(t *testing.T) {
	client, served := start(t, &memory{})
	client.Hangup()
	if err := <-served; err != cacheprog.ErrHangup {
		t.Errorf("served: %v", err)
	}
}

func TestFatalEndsTheConversation(t *testing.T) {
	broken := errors.New("broken")
	client, served := start(t, &memory{get: func(_ cacheprog.ID, answer func(cacheprog.Answer)) bool {
		answer(cacheprog.Answer{Fatal: broken})
		return true
	}})
	if r, err := client.Get(cacheprog.ID{}); err == nil {
		t.Errorf("answered: %+v", r)
	}
	if err := <-served; err != broken {
		t.Errorf("served: %v", err)
	}
}

func TestTheGoCommandHearsThatClosingFailed(t *testing.T) {
	client, served := start(t, &memory{closed: errors.New("no log")})
	if err := client.Close(); err == nil || err.Error() != "no log" {
		t.Errorf("close: %v", err)
	}
	if err := <-served; err == nil {
		t.Error("served without an error")
	}
}

func TestRequestsThatNoGoCommandSends(t *testing.T) {
	id := strings.Repeat("A", 42) + "E="
	for name, input := range map[string]string{
		"no JSON":             "get\n",
		"an action too short": `{"ID":1,"Command":"get","ActionID":"AAAA"}` + "\n",
		"no output":           `{"ID":1,"Command":"put","ActionID":"` + id + `"}` + "\n",
		"a body cut off":      `{"ID":1,"Command":"put","ActionID":"` + id + `","OutputID":"` + id + `","BodySize":30}` + "\n\"AAAA",
		"a body too long": `{"ID":1,"Command":"put","ActionID":"` + id + `","OutputID":"` + id + `","BodySize":1}` +
			"\n\"AAAAAAAA\"\n",
		"half a line": `{"ID":1,"Command":"ge`,
	} {
		err := cacheprog.Serve(strings.NewReader(input), io.Discard, &memory{kept: map[cacheprog.ID]cacheprog.Answer{}})
		if err == nil || err == cacheprog.ErrHangup {
			t.Errorf("%s: %v", name, err)
		}
	}
}

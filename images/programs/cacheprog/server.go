package cacheprog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// Handler answers the go command.
type Handler interface {
	// Get calls answer exactly once, now or later. It is called by the goroutine that reads requests, so that an answer
	// that is at hand costs no change of goroutines; what takes longer it returns, for a worker to do at once with others.
	Get(action ID, answer func(Answer)) (rest func())
	// Put stores content; several are called at once.
	Put(put Put) Answer
	// Close is called after the last request, before the go command hears that all is done; it hears of an error as well.
	Close() error
}

const (
	// smallBody is the content that may wait in memory for a worker; larger one is handled where it is read.
	smallBody = 64 << 10
	// waiting is how many requests may wait for a worker: the go command asks about as many at once as it compiles.
	waiting = 64
)

// ErrHangup: the go command went away without saying close, as `go list` does, or was killed.
var ErrHangup = errors.New("the go command closed the connection")

// Serve tells the go command what is known here and answers until it says close (nil), hangs up (ErrHangup), or a handler
// fails. Answers leave in the order in which they are found, not asked.
func Serve(in io.Reader, out io.Writer, handler Handler) error {
	s := &server{handler: handler, out: out, jobs: make(chan func(), waiting), failed: make(chan struct{})}
	if err := s.send(response{KnownCommands: []string{commandGet, commandPut, commandClose}}); err != nil {
		return err
	}
	for range runtime.GOMAXPROCS(0) + 1 {
		s.workers.Add(1)
		go s.work()
	}
	read := make(chan error, 1)
	go func() { read <- s.read(bufio.NewReaderSize(in, 64<<10)) }()
	select {
	case err := <-read:
		return err
	case <-s.failed:
		return s.failure
	}
}

type server struct {
	handler Handler
	jobs    chan func()
	workers sync.WaitGroup

	writing sync.Mutex
	out     io.Writer
	buffer  bytes.Buffer

	failing sync.Once
	failure error
	failed  chan struct{}
}

// read reads requests until the last one and answers close itself.
func (s *server) read(in *bufio.Reader) error {
	err := s.readRequests(in)
	close(s.jobs)
	s.workers.Wait()
	select {
	case <-s.failed:
		return s.failure
	default:
	}
	closing := s.handler.Close()
	var done *closeRequest
	switch {
	case errors.As(err, &done):
		last := response{ID: done.id}
		if closing != nil {
			last.Err = closing.Error()
		}
		// The go command may have gone already: it is done either way.
		_ = s.send(last)
		return closing
	case closing != nil:
		return fmt.Errorf("%w (%w)", closing, err)
	default:
		return err
	}
}

// closeRequest ends reading as an error does.
type closeRequest struct{ id int64 }

func (c *closeRequest) Error() string { return "close" }

func (s *server) readRequests(in *bufio.Reader) error {
	for {
		line, err := in.ReadSlice('\n')
		if err == io.EOF && isBlank(line) {
			return ErrHangup
		} else if err != nil {
			return fmt.Errorf("request of the go command: %w", unexpected(err))
		}
		if isBlank(line) {
			continue
		}
		r, err := parseRequest(line)
		if err != nil {
			return err
		}
		switch r.Command {
		case commandClose:
			return &closeRequest{r.ID}
		case commandGet:
			rest := s.handler.Get(ID(r.ActionID), func(a Answer) { s.answer(r.ID, a) })
			if rest != nil {
				s.jobs <- rest
			}
		case commandPut:
			if err := s.readPut(r, in); err != nil {
				return err
			}
		default:
			if err := s.send(response{ID: r.ID, Err: "unknown command " + r.Command}); err != nil {
				return err
			}
		}
	}
}

func (s *server) readPut(r request, in *bufio.Reader) error {
	content, err := newBody(in, r.BodySize)
	if err != nil {
		return err
	}
	if r.BodySize <= smallBody {
		all, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		s.jobs <- func() { s.put(r, bytes.NewReader(all)) }
		return nil
	}
	s.put(r, content)
	// Whatever the handler left unread stands before the next request.
	_, err = io.Copy(io.Discard, content)
	return err
}

func (s *server) work() {
	defer s.workers.Done()
	for job := range s.jobs {
		job()
	}
}

func (s *server) put(r request, content io.Reader) {
	s.answer(r.ID, s.handler.Put(Put{ID(r.ActionID), ID(r.OutputID), r.BodySize, content}))
}

func (s *server) answer(id int64, a Answer) {
	if a.Fatal != nil {
		s.fail(a.Fatal)
	} else if err := s.send(a.response(id)); err != nil {
		s.fail(fmt.Errorf("answer to the go command: %w", err))
	}
}

func (s *server) send(r response) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.buffer.Reset()
	if err := json.NewEncoder(&s.buffer).Encode(r); err != nil {
		return err
	}
	_, err := s.out.Write(s.buffer.Bytes())
	return err
}

// fail ends the conversation with the first failure.
func (s *server) fail(err error) {
	s.failing.Do(func() {
		s.failure = err
		close(s.failed)
	})
}

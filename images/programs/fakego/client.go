// Package fakego talks to a GOCACHEPROG as the go command does, for tests and measurements: a thousand builds' worth of
// requests take seconds.
package fakego

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ID names an action or an output.
type ID = [32]byte

// Response is an answer.
type Response struct {
	ID            int64
	Err           string
	KnownCommands []string
	Miss          bool
	OutputID      []byte
	Size          int64
	DiskPath      string
}

// Client is the go command's end. Its methods may be called at once.
type Client struct {
	writing sync.Mutex
	out     *bufio.Writer
	closer  io.Closer

	mutex   sync.Mutex
	last    int64
	waiting map[int64]chan Response
	ended   chan struct{}
	failure error
}

// Dial waits for the commands that the program knows.
func Dial(in io.WriteCloser, out io.Reader) (*Client, error) {
	c := &Client{out: bufio.NewWriter(in), closer: in, waiting: map[int64]chan Response{}, ended: make(chan struct{})}
	known := c.expect(0)
	go c.read(json.NewDecoder(out))
	r, err := c.wait(known)
	if err == nil && len(r.KnownCommands) != 3 {
		err = fmt.Errorf("known commands: %v", r.KnownCommands)
	}
	return c, err
}

func (c *Client) expect(id int64) chan Response {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	answer := make(chan Response, 1)
	c.waiting[id] = answer
	return answer
}

func (c *Client) read(decoder *json.Decoder) {
	defer close(c.ended)
	for {
		var r Response
		if err := decoder.Decode(&r); err != nil {
			c.failure = fmt.Errorf("the program went away: %w", err)
			return
		}
		c.mutex.Lock()
		answer := c.waiting[r.ID]
		delete(c.waiting, r.ID)
		c.mutex.Unlock()
		if answer == nil {
			c.failure = fmt.Errorf("answer to unknown request %d", r.ID)
			return
		}
		answer <- r
	}
}

func (c *Client) wait(answer chan Response) (Response, error) {
	select {
	case r := <-answer:
		return r, nil
	case <-c.ended:
	}
	select {
	case r := <-answer:
		return r, nil
	default:
		return Response{}, c.failure
	}
}

func (c *Client) ask(command string, action, output *ID, body []byte) (Response, error) {
	request := map[string]any{"Command": command}
	if action != nil {
		request["ActionID"] = action[:]
	}
	if output != nil {
		request["OutputID"] = output[:]
		request["BodySize"] = len(body)
	}
	c.mutex.Lock()
	c.last++
	id := c.last
	c.mutex.Unlock()
	request["ID"] = id
	answer := c.expect(id)
	if err := c.write(request, body); err != nil {
		return Response{}, err
	}
	r, err := c.wait(answer)
	if err == nil && r.Err != "" {
		err = errors.New(r.Err)
	}
	return r, err
}

func (c *Client) write(request map[string]any, body []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	line, err := json.Marshal(request)
	if err != nil {
		return err
	}
	c.out.Write(line)
	c.out.WriteString("\n\n")
	if len(body) > 0 {
		c.out.WriteByte('"')
		encoder := base64.NewEncoder(base64.StdEncoding, c.out)
		encoder.Write(body)
		encoder.Close()
		c.out.WriteString("\"\n")
	}
	return c.out.Flush()
}

// Get asks for an action.
func (c *Client) Get(action ID) (Response, error) { return c.ask("get", &action, nil, nil) }

// Put stores content.
func (c *Client) Put(action, output ID, body []byte) (Response, error) {
	return c.ask("put", &action, &output, body)
}

// Close says that all is done and waits until the program is.
func (c *Client) Close() error {
	_, err := c.ask("close", nil, nil, nil)
	c.closer.Close()
	<-c.ended
	return err
}

// Hangup goes away without a word, as a killed go command does, and waits until the program is done.
func (c *Client) Hangup() {
	c.closer.Close()
	<-c.ended
}

package cacheprog

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
)

// body decodes the content of a put, a JSON string in base64, as it arrives: content is never held in memory as a whole.
type body struct {
	from    *bufio.Reader
	encoded int64  // characters not read yet
	ready   []byte // decoded, not handed out yet
	chunk   [16 << 10]byte
	plain   [12 << 10]byte
}

// newBody reads up to where the content of size bytes begins.
func newBody(from *bufio.Reader, size int64) (*body, error) {
	if size > 0 {
		if err := skipToQuote(from); err != nil {
			return nil, err
		}
	}
	return &body{from: from, encoded: (size + 2) / 3 * 4}, nil
}

func skipToQuote(from *bufio.Reader) error {
	for {
		switch c, err := from.ReadByte(); {
		case err != nil:
			return fmt.Errorf("body of a put: %w", unexpected(err))
		case c == '"':
			return nil
		case c != '\n' && c != ' ' && c != '\r' && c != '\t':
			return fmt.Errorf("body of a put begins with %q", c)
		}
	}
}

func (b *body) Read(p []byte) (int, error) {
	if len(b.ready) == 0 {
		if b.encoded == 0 {
			return 0, io.EOF
		}
		if err := b.decode(); err != nil {
			return 0, fmt.Errorf("body of a put: %w", err)
		}
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	return n, nil
}

func (b *body) decode() error {
	chunk := b.chunk[:min(int64(len(b.chunk)), b.encoded)]
	if _, err := io.ReadFull(b.from, chunk); err != nil {
		return unexpected(err)
	}
	n, err := base64.StdEncoding.Decode(b.plain[:], chunk)
	if err != nil {
		return err
	}
	b.ready = b.plain[:n]
	if b.encoded -= int64(len(chunk)); b.encoded > 0 {
		return nil
	}
	if c, err := b.from.ReadByte(); err != nil {
		return unexpected(err)
	} else if c != '"' {
		return fmt.Errorf("ends with %q", c)
	}
	return nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

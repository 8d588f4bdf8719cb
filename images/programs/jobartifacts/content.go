package jobartifacts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/redact"
)

// read reads a file once: for its digest, and for secrets, with which it is not kept.
func (c *collection) read(path string, size int64) (jobprotocol.Artifact, string) {
	name, changed := storedName(path)
	artifact := jobprotocol.Artifact{Name: name}
	if changed {
		artifact.Original = []byte(path)
	}
	if c.Redactor.Contains(path) {
		return artifact, "its name has a secret in it"
	}
	file, err := c.root.Open(path)
	if err != nil {
		return artifact, reason(err)
	}
	defer file.Close()
	sum, clean := sha256.New(), sha256.New()
	scan := redact.NewWriter(c.Redactor, clean)
	n, err := io.Copy(io.MultiWriter(sum, scan, &stopper{c}), io.LimitReader(file, size+1))
	switch {
	case errors.Is(err, errTime):
		return artifact, "no time was left for it"
	case err != nil:
		return artifact, reason(err)
	case n != size:
		return artifact, "it changed while it was read"
	}
	_ = scan.Close() // a digest takes everything
	artifact.Bytes, artifact.SHA256 = n, hex.EncodeToString(sum.Sum(nil))
	if artifact.SHA256 != hex.EncodeToString(clean.Sum(nil)) {
		return artifact, "it has a secret in it"
	}
	return artifact, ""
}

var errTime = errors.New("no time was left")

// stopper ends a long copy when there is no time for it.
type stopper struct{ c *collection }

func (s *stopper) Write(chunk []byte) (int, error) {
	if s.c.ctx.Err() != nil {
		return 0, errTime
	}
	return len(chunk), nil
}

// storedName is a name that every file system and every reader of JSON takes: other bytes than printable UTF-8 stand in it as
// %FF. The percent sign does so too, so that no two names become one.
func storedName(path string) (name string, changed bool) {
	var out strings.Builder
	for i := 0; i < len(path); {
		r, size := utf8.DecodeRuneInString(path[i:])
		if r == utf8.RuneError && size == 1 || r < ' ' || r == 0x7f || r == '%' || r >= 0x80 && r < 0xa0 {
			for _, b := range []byte(path[i : i+size]) {
				fmt.Fprintf(&out, "%%%02X", b)
			}
			changed = true
		} else {
			out.WriteString(path[i : i+size])
		}
		i += size
	}
	return out.String(), changed
}

// copyFile writes a new file; what cannot be written whole is removed.
func copyFile(from io.Reader, to string, most int64) error {
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, io.LimitReader(from, most))
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

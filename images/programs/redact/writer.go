package redact

import "io"

// Writer redacts a stream, however it is split over writes. Call Close at its end: it may hold back the beginning of a
// secret that does not come.
type Writer struct {
	redactor *Redactor
	to       io.Writer
	held     string
	// run is how many characters of base64 stand before what is held.
	run int
}

// NewWriter returns a writer that passes to another what is not secret. It is for one goroutine.
func NewWriter(redactor *Redactor, to io.Writer) *Writer { return &Writer{redactor: redactor, to: to} }

func (w *Writer) Write(chunk []byte) (int, error) {
	return len(chunk), w.pass(string(chunk), false)
}

// Close writes what was held back. It does not close the writer below.
func (w *Writer) Close() error { return w.pass("", true) }

func (w *Writer) pass(chunk string, end bool) error {
	w.redactor.lock.RLock()
	out, rest, run := w.redactor.scan(w.held+chunk, w.run, end)
	w.redactor.lock.RUnlock()
	w.held, w.run = rest, run
	if out == "" {
		return nil
	}
	_, err := io.WriteString(w.to, out)
	return err
}

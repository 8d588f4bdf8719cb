package serve

import (
	"sync"

	"kiln.dev/programs/pack"
)

// ahead reads what every build asks a pack for, as soon as one asks it for anything: module indexes, and the headers of
// archives. The go command reads its go.mod meanwhile, and asks for one after the other later.
type ahead struct {
	mutex sync.Mutex
	begun map[*pack.Reader]bool
}

func (a *ahead) begin(reader *pack.Reader) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.begun[reader] {
		return
	}
	if a.begun == nil {
		a.begun = map[*pack.Reader]bool{}
	}
	a.begun[reader] = true
	go readAhead(reader)
}

// readAhead leaves blocks in the reader's cache. Errors are those of whoever asks for the content.
func readAhead(reader *pack.Reader) {
	headers := false
	for _, content := range reader.Outputs() {
		switch {
		case content.Beside:
		case content.HeaderSize == 0 && content.Size <= smallOutput:
			_ = reader.WriteTo(content, nowhere{})
		case content.HeaderSize > 0 && !headers:
			headers = true
			_, _ = reader.Header(content)
		}
	}
}

// smallOutput is the size up to which packs keep outputs that are no archives beside each other.
const smallOutput = 64 << 10

type nowhere struct{}

func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

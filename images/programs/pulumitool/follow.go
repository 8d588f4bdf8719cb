package pulumitool

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"time"
)

// followInterval is how late a line may be seen.
const followInterval = 100 * time.Millisecond

// follow reads the lines of a file that grows, from its beginning, until stop is closed; what stands in it then is read, too.
// The file may come into being later, or never.
func follow(path string, stop <-chan struct{}, line func(string)) error {
	var file *os.File
	var reader *bufio.Reader
	var text strings.Builder
	for last := false; ; {
		if file == nil {
			opened, err := os.Open(path)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			if err == nil {
				file, reader = opened, bufio.NewReaderSize(opened, 256<<10)
				defer file.Close()
			}
		}
		for reader != nil {
			part, err := reader.ReadString('\n')
			text.WriteString(part)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			line(text.String())
			text.Reset()
		}
		if last {
			return nil
		}
		select {
		case <-stop:
			last = true
		case <-time.After(followInterval):
		}
	}
}

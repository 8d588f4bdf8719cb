package child

import (
	"bufio"
	"io"
	"strings"
)

// longestLine bounds memory; what is longer comes as several lines.
const longestLine = 8 << 20

// readLines calls with each line of a stream until it ends. Line ends, and the carriage returns of progress bars, are cut off.
func readLines(from io.Reader, line func(string)) {
	reader := bufio.NewReaderSize(from, 64<<10)
	var text strings.Builder
	for {
		chunk, err := reader.ReadSlice('\n')
		text.Write(chunk)
		whole := len(chunk) > 0 && chunk[len(chunk)-1] == '\n'
		if whole || text.Len() >= longestLine || err != nil && err != bufio.ErrBufferFull && text.Len() > 0 {
			line(strings.TrimRight(text.String(), "\r\n"))
			text.Reset()
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

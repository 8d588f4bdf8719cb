package jobrun

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// printedPiece is how much of a file is in one line: with its name and base64 well below what readers of lines take.
const printedPiece = 48 << 10

// printOutput prints what a job left, for a runner that sees standard output alone: logs and artifacts in pieces, and the result
// as the last line. The script is gone; a link that it left is not followed.
func printOutput(folder string, to io.Writer) error {
	result, err := os.ReadFile(filepath.Join(folder, "result.json"))
	if err != nil {
		return fmt.Errorf("print the output: %w", err)
	}
	lines := json.NewEncoder(to)
	lines.SetEscapeHTML(false)
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("print the output: %w", err)
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && name != "." && !isPrinted(name+"/") {
			return fs.SkipDir // the script's own, and closed perhaps
		}
		if err != nil || !entry.Type().IsRegular() || !isPrinted(name) {
			return err
		}
		return printFile(root, name, lines)
	})
	if err != nil {
		return fmt.Errorf("print the output: %w", err)
	}
	return lines.Encode(map[string]any{"at": stamp(time.Now()), "kind": "result", "result": json.RawMessage(result)})
}

func isPrinted(name string) bool {
	return name == "stdout.log" || name == "stderr.log" || strings.HasPrefix(name, "artifacts/")
}

// printFile prints at least one line, so that an empty file is one too.
func printFile(root *os.Root, name string, lines *json.Encoder) error {
	file, err := root.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	piece := make([]byte, printedPiece)
	for offset := 0; ; {
		count, err := io.ReadFull(file, piece)
		if count > 0 || offset == 0 {
			line := map[string]any{
				"at": stamp(time.Now()), "kind": "file", "path": name, "offset": offset, "base64": base64.StdEncoding.EncodeToString(piece[:count]),
			}
			if err := lines.Encode(line); err != nil {
				return err
			}
		}
		offset += count
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

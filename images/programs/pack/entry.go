package pack

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FarFuture is the date of entries that come out of a pack: Go neither trims nor touches what is not older than an hour.
var FarFuture = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// maxEntry is more than the text of any entry.
const maxEntry = 512

// parseEntry reads what Go's cache notes of an action (cmd/go/internal/cache): one line of fixed fields. The time is
// not kept: it says when somebody compiled, and equal content shall make equal packs.
func parseEntry(text string, id ID) (Action, error) {
	broken := func(what string) (Action, error) {
		return Action{}, fmt.Errorf("%q is no entry of an action: %s", text, what)
	}
	line, ended := strings.CutSuffix(text, "\n")
	parts := strings.SplitN(line, " ", 4)
	if !ended || len(parts) != 4 || parts[0] != "v1" || len(parts[3]) != 41 || parts[3][20] != ' ' {
		return broken("its fields are not where they belong")
	}
	named, err := ParseID(parts[1])
	if err != nil || named != id {
		return broken("it names another action")
	}
	output, err := ParseID(parts[2])
	if err != nil {
		return broken("it names no output")
	}
	size, err := strconv.ParseInt(strings.TrimLeft(parts[3][:20], " "), 10, 64)
	if err != nil || size < 0 {
		return broken("it has no size")
	}
	if nanos, err := strconv.ParseInt(strings.TrimLeft(parts[3][21:], " "), 10, 64); err != nil || nanos < 0 {
		return broken("it has no time")
	}
	return Action{ID: id, Output: output, Size: size}, nil
}

// formatEntry writes an action as Go's cache does, dated FarFuture.
func formatEntry(a Action) string {
	return fmt.Sprintf("v1 %s %s %20d %20d\n", a.ID, a.Output, a.Size, FarFuture.UnixNano())
}

// Package redact keeps secrets out of what is printed and written: as they are, and in the encodings that tools print.
package redact

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Mark stands where a secret was.
const Mark = "[secret]"

const (
	// Shorter values occur by chance: replacing them would spoil logs, and tell what they are.
	leastValue = 4
	// A line of a secret with several lines, or of its base64.
	leastLine = 8
)

// Line lengths at which programs wrap base64: `base64` of coreutils, and PEM.
var wraps = []int{76, 64}

// patternsOf lists every text by which a value is recognised: the same as spellingsOf of execution/secret-spellings.ts.
func patternsOf(value string) []string {
	var patterns []string
	for _, text := range parts(value) {
		patterns = append(patterns, text)
		patterns = append(patterns, jsonTexts(text)...)
		patterns = append(patterns, markupTexts(text)...)
		patterns = append(patterns, shellTexts(text)...)
		patterns = append(patterns, urlTexts(text)...)
		for _, inside := range jsonInsides(text) {
			patterns = append(patterns, base64Texts(inside)...)
		}
		patterns = append(patterns, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))))
	}
	return patterns
}

// parts are the value, and its lines where it has several: people and tools print a key line by line.
func parts(value string) []string {
	if len(value) < leastValue {
		return nil
	}
	list := []string{value}
	if trimmed := strings.TrimSpace(value); trimmed != value && len(trimmed) >= leastValue {
		list = append(list, trimmed)
	}
	if !strings.ContainsAny(value, "\r\n") {
		return list
	}
	for _, line := range strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if trimmed := strings.TrimSpace(line); len(trimmed) >= leastLine {
			list = append(list, trimmed)
		}
	}
	return list
}

// base64Texts are the value encoded alone, its lines where programs wrap it, and the characters of it that stay the same
// whatever stands before and after it: it may begin at each of the three bytes of a group ("user:password" of a basic
// authorization).
func base64Texts(text string) []string {
	var texts []string
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		whole := encoding.EncodeToString([]byte(text))
		texts = append(texts, whole, strings.TrimRight(whole, "="))
		for _, width := range wraps {
			texts = append(texts, wrapped(whole, width)...)
		}
		for shift := range 3 {
			encoded := encoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + text))
			first, end := (8*shift+5)/6, 8*(shift+len(text))/6
			if first < end {
				texts = append(texts, encoded[first:end])
			}
		}
	}
	return texts
}

// wrapped are the lines of a text that is longer than one, without a last one that is too short to be known by.
func wrapped(text string, width int) []string {
	if len(text) <= width {
		return nil
	}
	var lines []string
	for ; len(text) > width; text = text[width:] {
		lines = append(lines, text[:width])
	}
	if len(text) >= leastLine {
		lines = append(lines, text)
	}
	return lines
}

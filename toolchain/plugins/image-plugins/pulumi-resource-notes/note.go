package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// note is a resource's inputs, and its outputs too.
type note struct {
	// Name is that of the file; another name is another note.
	Name string
	// Content is any value.
	Content *structpb.Value
	// DelaySeconds is how long writing takes, for tests of interruptions.
	DelaySeconds float64
	// Refuse is why writing fails, for tests of failures.
	Refuse string
}

// readNote takes the properties of a resource apart; it refuses what is no note.
func readNote(properties *structpb.Struct) (note, error) {
	fields := properties.GetFields()
	one := note{
		Name: fields["name"].GetStringValue(), Content: fields["content"],
		DelaySeconds: fields["delaySeconds"].GetNumberValue(), Refuse: fields["refuse"].GetStringValue(),
	}
	if !namePattern.MatchString(one.Name) {
		return note{}, fmt.Errorf("name %q: it takes letters, digits, dots, dashes and underlines", one.Name)
	}
	return one, nil
}

// properties are those that the engine keeps.
func (one note) properties() *structpb.Struct {
	fields := map[string]*structpb.Value{"name": structpb.NewStringValue(one.Name)}
	if one.Content != nil {
		fields["content"] = one.Content
	}
	if one.DelaySeconds > 0 {
		fields["delaySeconds"] = structpb.NewNumberValue(one.DelaySeconds)
	}
	if one.Refuse != "" {
		fields["refuse"] = structpb.NewStringValue(one.Refuse)
	}
	return &structpb.Struct{Fields: fields}
}

// document is what stands outside.
func (one note) document() ([]byte, error) {
	text, err := json.MarshalIndent(map[string]any{"content": one.Content.AsInterface()}, "", "  ")
	return append(text, '\n'), err
}

// withDocument is the note as it stands outside, whoever wrote it.
func (one note) withDocument(text []byte) (note, error) {
	var found struct{ Content any }
	if err := json.Unmarshal(text, &found); err != nil {
		return note{}, fmt.Errorf("note %s: %w", one.Name, err)
	}
	content, err := structpb.NewValue(found.Content)
	one.Content = content
	return one, err
}

func (one note) delay() time.Duration { return time.Duration(one.DelaySeconds * float64(time.Second)) }

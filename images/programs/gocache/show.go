package main

import (
	"bufio"
	"encoding/json"
	"io"

	"kiln.dev/programs/pack"
)

// contents is what show prints of a pack.
type contents struct {
	Actions []shownAction `json:"actions"`
	Outputs []shownOutput `json:"outputs"`
	Modules []shownModule `json:"modules"`
}

type shownAction struct {
	ID     string `json:"id"`
	Output string `json:"output"`
	Size   int64  `json:"size"`
}

type shownOutput struct {
	ID   string `json:"id"`
	Size int64  `json:"size"`
	// Stored is about what the output takes in the pack: its share of the blocks that it is in.
	Stored int64 `json:"stored"`
	// Beside: it stands in a file beside the pack.
	Beside bool `json:"beside,omitempty"`
}

type shownModule struct {
	Name    string      `json:"name"`
	Indexed bool        `json:"indexed"`
	Files   []shownFile `json:"files"`
}

type shownFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

// show prints what a pack holds.
func show(args []string, stdout io.Writer) error {
	files, err := parse("show", args, nil, 1, 1)
	if err != nil {
		return err
	}
	return eachPack(files, func(r *pack.Reader) error {
		out := bufio.NewWriter(stdout)
		if err := json.NewEncoder(out).Encode(contentsOf(r)); err != nil {
			return err
		}
		return out.Flush()
	})
}

func contentsOf(r *pack.Reader) contents {
	c := contents{Actions: []shownAction{}, Outputs: []shownOutput{}, Modules: []shownModule{}}
	for _, a := range r.Actions() {
		c.Actions = append(c.Actions, shownAction{ID: a.ID.String(), Output: a.Output.String(), Size: a.Size})
	}
	for _, o := range r.Outputs() {
		c.Outputs = append(c.Outputs, shownOutput{ID: o.ID.String(), Size: o.Size, Stored: r.Stored(o), Beside: o.Beside})
	}
	for _, m := range r.Modules() {
		shown := shownModule{Name: m.Name, Indexed: m.Indexed, Files: []shownFile{}}
		for _, f := range r.ModuleFiles(m.Name) {
			shown.Files = append(shown.Files, shownFile{Path: f.Path, Size: f.Size})
		}
		c.Modules = append(c.Modules, shown)
	}
	return c
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"kiln.dev/programs/pack"
)

// writePack packs what a list names, and prints how much that is.
func writePack(args []string, stdout io.Writer) error {
	var from, out string
	if _, err := parse("pack", args, map[string]*string{"list": &from, "out": &out}, 0, 0); err != nil {
		return err
	}
	list, err := pack.ReadList(from)
	if err != nil {
		return err
	}
	summary, err := pack.Write(list, out)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(summary)
}

// unpack writes packs back as the loose files that they were made of.
func unpack(args []string) error {
	var goBuild, goMod string
	files, err := parse("unpack", args, map[string]*string{"go-build": &goBuild, "go-mod": &goMod}, 1, -1)
	if err != nil {
		return err
	}
	roots := make([]*os.Root, 2)
	for i, folder := range []string{goBuild, goMod} {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
		if roots[i], err = os.OpenRoot(folder); err != nil {
			return err
		}
		defer roots[i].Close()
	}
	return eachPack(files, func(r *pack.Reader) error { return r.Unpack(roots[0], roots[1]) })
}

// check decompresses packs and compares all content with its digests.
func check(args []string) error {
	files, err := parse("check", args, nil, 1, -1)
	if err != nil {
		return err
	}
	var differing []string
	for _, file := range files {
		err := eachPack([]string{file}, func(r *pack.Reader) error {
			differing = append(differing, r.Check()...)
			return nil
		})
		switch {
		case errors.Is(err, pack.ErrDamaged):
			differing = append(differing, err.Error())
		case err != nil:
			return err
		}
	}
	if len(differing) > 0 {
		return fmt.Errorf("%w:\n%s", errDifference, strings.Join(differing, "\n"))
	}
	return nil
}

func eachPack(files []string, do func(*pack.Reader) error) error {
	for _, file := range files {
		r, err := pack.Open(file)
		if err != nil {
			return err
		}
		if err := errors.Join(do(r), r.Close()); err != nil {
			return err
		}
	}
	return nil
}

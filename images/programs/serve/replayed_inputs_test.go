package serve

import (
	"crypto/sha256"
	"fmt"
	"os"

	"kiln.dev/programs/fakego"
)

// link asks for the program; where it is missed, all archives are read.
func (b *replayedBuild) link() error {
	action, dirty := b.fixture.link, b.dirty[b.fixture.packages[len(b.fixture.packages)-1].path]
	if dirty {
		action = b.newAction()
	}
	found, err := b.client.Get(action)
	if err != nil {
		return err
	}
	if found.Miss != dirty {
		return fmt.Errorf("link missed: %v", found.Miss)
	}
	if !dirty {
		if _, err := b.client.Get(subkey(b.fixture.packages[0].action, "link-stdout")); err != nil {
			return err
		}
		return check(found)
	}
	for _, p := range b.fixture.packages {
		if err := b.read(p.path); err != nil {
			return err
		}
	}
	return nil
}

func (b *replayedBuild) read(path string) error {
	b.mutex.Lock()
	found := b.built[path]
	b.mutex.Unlock()
	if err := check(found); err != nil {
		return fmt.Errorf("input %s: %w", path, err)
	}
	return nil
}

// check reads what was answered whole and compares it with its name.
func check(found fakego.Response) error {
	content, err := os.ReadFile(found.DiskPath)
	if err != nil {
		return err
	}
	if string(hashOf(content)) != string(found.OutputID) || int64(len(content)) != found.Size {
		return fmt.Errorf("%s does not hold output %x", found.DiskPath, found.OutputID)
	}
	return nil
}

func hashOf(content []byte) []byte {
	sum := sha256.Sum256(content)
	return sum[:]
}

func (b *replayedBuild) newAction() ID {
	var action ID
	for i := range action {
		action[i] = byte(b.random(256))
	}
	return action
}

package serve

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"kiln.dev/programs/cacheprog"
	"kiln.dev/programs/diskcache"
	"kiln.dev/programs/pack"
)

// ID names an action or an output.
type ID = cacheprog.ID

// answers answers the go command: from the packs, then from the user's own cache.
type answers struct {
	*session
	objects *objects
	texts   texts

	mutex sync.Mutex
	// put is what the go command put where its own cache cannot be written.
	put map[ID]cacheprog.Answer
}

func newAnswers(s *session, objects *objects) *answers {
	return &answers{session: s, objects: objects, put: map[ID]cacheprog.Answer{}}
}

// Get answers a miss only when all holes are filled.
func (a *answers) Get(action ID, answer func(cacheprog.Answer)) (rest func()) {
	output, size, shipped := a.packs.Action(pack.ID(action))
	if !shipped {
		a.fromOwn(action, notShipped, answer)
		return nil
	}
	fromPack := func() { a.fromPack(action, ID(output), size, answer) }
	if a.keep || !a.objects.isQuick(ID(output)) {
		return fromPack
	}
	fromPack()
	return nil
}

func (a *answers) fromPack(action, output ID, size int64, answer func(cacheprog.Answer)) {
	if _, content, ok := a.packs.Output(pack.ID(output)); ok && content.Size != size {
		// Go would find the file cut off, and compile, with holes around it.
		a.stats.damaged(fmt.Errorf("action %x says %d bytes, and its output has %d", action, size, content.Size))
		a.fromOwn(action, packDamaged, answer)
		return
	}
	path, err := a.objects.path(output)
	switch {
	case errors.Is(err, errScratch):
		answer(cacheprog.Answer{Fatal: err})
	case err != nil:
		a.stats.damaged(err)
		a.fromOwn(action, packDamaged, answer)
	default:
		if a.keep {
			path = a.keepOwn(action, output, size, path)
		}
		a.hit(action, inPack, cacheprog.Answer{Output: output, Size: size, DiskPath: path}, answer)
	}
}

func (a *answers) hit(action ID, from source, found cacheprog.Answer, answer func(cacheprog.Answer)) {
	a.texts.found(action)
	a.stats.hit(from)
	answer(found)
}

// fromOwn looks into the user's own cache; why is the cause if it is not there either.
func (a *answers) fromOwn(action ID, why cause, answer func(cacheprog.Answer)) {
	a.mutex.Lock()
	kept, ok := a.put[action]
	a.mutex.Unlock()
	if ok {
		a.hit(action, inOwn, kept, answer)
		return
	}
	entry, err := a.own.Get(action)
	if err == nil {
		a.own.MarkUsed(action, entry)
		found := cacheprog.Answer{Output: entry.Output, Size: entry.Size, Time: entry.Time, DiskPath: entry.File}
		a.hit(action, inOwn, found, answer)
		return
	}
	if why == notShipped && errors.Is(err, diskcache.ErrDamaged) {
		why = ownDamaged
	}
	if why == notShipped && a.texts.has(action) {
		a.stats.silent()
		answer(cacheprog.Answer{Miss: true})
		return
	}
	a.stats.miss(action, why)
	a.objects.holes.whenFilled(func(err error) { answer(cacheprog.Answer{Miss: err == nil, Fatal: err}) })
}

// keepOwn adds an entry of the packs to the user's own cache, where it can be written, and returns where it stands.
func (a *answers) keepOwn(action, output ID, size int64, path string) string {
	if entry, err := a.own.Get(action); err == nil && entry.Output == output {
		return entry.File
	}
	file, err := os.Open(path)
	if err != nil {
		return path
	}
	defer file.Close()
	if kept, err := a.own.Put(action, output, size, file); err == nil {
		return kept
	}
	return path
}

// Put keeps content in the user's own cache, or where that cannot be written in scratch.
func (a *answers) Put(put cacheprog.Put) cacheprog.Answer {
	content := &beginningReader{from: put.Body}
	path, err := a.own.Put(put.Action, put.Output, put.Size, content)
	if isUnwritable(err) {
		path, err = a.keepForNow(put, content, path)
	}
	if err != nil {
		return cacheprog.Answer{Err: fmt.Sprintf("gocache: the entry cannot be kept: %v", err)}
	}
	a.stats.put(put.Action, content.bytes)
	return cacheprog.Answer{Output: put.Output, Size: put.Size, DiskPath: path}
}

// isUnwritable: nothing can be added to the cache, by this user or by anybody.
func isUnwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// keepForNow keeps an entry for as long as this process runs. Only its content may be in the user's cache already.
func (a *answers) keepForNow(put cacheprog.Put, content io.Reader, path string) (string, error) {
	if path == "" {
		folder, err := a.scratch.named()
		if err != nil {
			return "", err
		}
		file, err := os.CreateTemp(folder.path, "put-")
		if err != nil {
			return "", err
		}
		n, err := io.Copy(file, content)
		if closing := file.Close(); err == nil {
			err = closing
		}
		if err == nil && n != put.Size {
			err = fmt.Errorf("%d of %d bytes were left to write", n, put.Size)
		}
		if err != nil {
			return "", err
		}
		path = file.Name()
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.put[put.Action] = cacheprog.Answer{Output: put.Output, Size: put.Size, DiskPath: path}
	return path, nil
}

// Close returns when nothing is written to scratch any more.
func (a *answers) Close() error {
	a.objects.stop()
	return nil
}

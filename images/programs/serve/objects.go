package serve

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"kiln.dev/programs/pack"
)

// objects puts outputs of the packs into scratch, each once a process.
type objects struct {
	packs   pack.Set
	scratch *scratch
	holes   *holes
	ahead   ahead
	hollow  bool // whether archives may be answered with a hole

	foreseeing sync.WaitGroup

	mutex sync.Mutex
	known map[ID]*object

	hollowed, filled, written atomic.Int64
}

// object is an output in scratch.
type object struct {
	once   sync.Once
	placed atomic.Bool
	path   string
	err    error
}

// errDamaged: the pack does not give the content back. errScratch: scratch does not take it.
var (
	errDamaged = errors.New("damaged")
	errScratch = errors.New("scratch")
)

func newObjects(packs pack.Set, scratch *scratch, hollow bool) *objects {
	o := &objects{packs: packs, scratch: scratch, hollow: hollow, known: map[ID]*object{}}
	o.holes = newHoles(o.fill)
	return o
}

// isQuick reports whether path takes no longer than to make a small file: nothing is to be unpacked.
func (o *objects) isQuick(output ID) bool {
	if _, content, ok := o.packs.Output(pack.ID(output)); !ok || content.Beside && o.hollow || o.isHollow(content) || isHeader(content) {
		return true
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	known := o.known[output]
	return known != nil && known.placed.Load()
}

// isHollow: only the header is read, and a hole answered.
func (o *objects) isHollow(content pack.Output) bool {
	return o.hollow && !content.Whole && content.HeaderSize > 0 && int64(content.HeaderSize) < content.Size
}

// isHeader: there is nothing but the header.
func isHeader(content pack.Output) bool {
	return content.HeaderSize > 0 && int64(content.HeaderSize) == content.Size
}

// path returns where an output stands; an archive may be there with a hole that is filled before any miss is answered.
func (o *objects) path(output ID) (string, error) {
	o.mutex.Lock()
	known := o.known[output]
	if known == nil {
		known = &object{}
		o.known[output] = known
	}
	o.mutex.Unlock()
	known.once.Do(func() {
		known.path, known.err = o.place(output)
		known.placed.Store(true)
	})
	return known.path, known.err
}

func (o *objects) place(output ID) (string, error) {
	reader, content, ok := o.packs.Output(pack.ID(output))
	if !ok {
		return "", fmt.Errorf("%w: no pack holds output %x", errDamaged, output)
	}
	// Other commands get a copy: `go build -o x.a` moves what it is answered, out of the image where root builds.
	if content.Beside && o.hollow {
		path, err := reader.Beside(content)
		return path, blame(err)
	}
	o.ahead.begin(reader)
	is, size := archive, content.Size
	if content.HeaderSize == 0 && !content.Beside && size > small {
		is = program
	}
	write := func(file *os.File) error { return reader.WriteTo(content, o.target(file)) }
	hollow := o.isHollow(content)
	if hollow || isHeader(content) {
		size = int64(content.HeaderSize)
		write = func(file *os.File) error { return o.writeHeader(file, reader, content) }
	}
	path, err := o.scratch.create(output, is, size, func(file *os.File) error { return blame(write(file)) })
	if err != nil && !errors.Is(err, errDamaged) {
		err = ofScratch(err)
	}
	if err == nil && hollow {
		o.hollowed.Add(1)
		o.holes.add(hole{reader, content})
	}
	return path, err
}

func (o *objects) writeHeader(file *os.File, reader *pack.Reader, content pack.Output) error {
	header, err := reader.Header(content)
	if err != nil {
		return err
	}
	if _, err := o.target(file).WriteAt(header, 0); err != nil {
		return err
	}
	return ofScratch(file.Truncate(content.Size))
}

// unpackAhead fills what will be read whole, while the go command still looks for packages. What fails is met again by
// whoever asks for the output, and before any miss is answered.
func (o *objects) unpackAhead(outputs []pack.Output) {
	if len(outputs) == 0 || !o.scratch.hasRoom(outputs) {
		return
	}
	o.foreseeing.Go(func() {
		for _, output := range outputs {
			if o.holes.failed() == nil {
				_, _ = o.path(ID(output.ID))
			}
		}
		o.holes.whenFilled(func(error) {})
	})
}

// stop returns when nothing is written any more.
func (o *objects) stop() {
	o.holes.fail(errStopped)
	o.foreseeing.Wait()
	o.holes.stop()
}

// fill makes files whole: whoever opens one again by its path reads all of its content from then on.
func (o *objects) fill(open []hole, stopped func() error) error {
	byPack := map[*pack.Reader][]pack.Output{}
	for _, hole := range open {
		byPack[hole.pack] = append(byPack[hole.pack], hole.content)
	}
	for reader, contents := range byPack {
		err := reader.WriteAll(contents, func(content pack.Output) (pack.WriterAtCloser, error) {
			if err := stopped(); err != nil {
				return nil, err
			}
			file, done, err := o.scratch.open(ID(content.ID), content.Size)
			if err != nil {
				return nil, ofScratch(err)
			}
			o.filled.Add(1)
			target := o.target(file)
			target.done = done
			return target, nil
		})
		if err != nil {
			return blame(err)
		}
	}
	return nil
}

// blame says which of the two failed, the pack or scratch.
func blame(err error) error {
	if err == nil || errors.Is(err, errScratch) {
		return err
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}

// target is a file of scratch: it counts what is written, and its errors say whose they are.
type target struct {
	file    *os.File
	written *atomic.Int64
	done    func() error
}

func (o *objects) target(file *os.File) *target { return &target{file: file, written: &o.written} }

func (t *target) WriteAt(p []byte, at int64) (int, error) {
	n, err := t.file.WriteAt(p, at)
	t.written.Add(int64(n))
	return n, ofScratch(err)
}

func (t *target) Close() error { return ofScratch(t.done()) }

func ofScratch(err error) error {
	if err == nil || errors.Is(err, errScratch) {
		return err
	}
	return fmt.Errorf("%w: %w", errScratch, err)
}

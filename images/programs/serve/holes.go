package serve

import (
	"errors"
	"sync"

	"kiln.dev/programs/pack"
)

// hole is an answered archive of which only the header is there.
type hole struct {
	pack    *pack.Reader
	content pack.Output
}

// holes keeps the promise on which hollow answers rest: whoever is told of a miss may compile or link, and so finds every
// hole that was handed out before filled. The go command asks for the inputs of an action before the action itself.
type holes struct {
	// fill fills holes in place; it returns early when the second argument says so.
	fill func([]hole, func() error) error

	mutex   sync.Mutex
	open    []hole
	waiting []func(error)
	filling bool
	failure error     // of the first hole that could not be filled: from then on no miss is answered
	idle    sync.Cond // with mutex: no round is under way
}

func newHoles(fill func([]hole, func() error) error) *holes {
	h := &holes{fill: fill}
	h.idle.L = &h.mutex
	return h
}

// add notes a hole, before anybody hears of it.
func (h *holes) add(hole hole) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.open = append(h.open, hole)
}

// whenFilled calls then once all holes that are noted by now are filled, or could not be: at once where there are none.
func (h *holes) whenFilled(then func(error)) {
	h.mutex.Lock()
	if len(h.open) == 0 && !h.filling {
		failure := h.failure
		h.mutex.Unlock()
		then(failure)
		return
	}
	h.waiting = append(h.waiting, then)
	if !h.filling {
		h.filling = true
		go h.rounds()
	}
	h.mutex.Unlock()
}

// rounds fills what is open until nobody waits. Whoever comes during a round waits for the next one, which takes in the
// holes of that time.
func (h *holes) rounds() {
	for {
		h.mutex.Lock()
		if len(h.waiting) == 0 {
			h.filling = false
			h.idle.Broadcast()
			h.mutex.Unlock()
			return
		}
		open, waiting := h.open, h.waiting
		h.open, h.waiting = nil, nil
		h.mutex.Unlock()
		if err := h.failed(); err == nil && len(open) > 0 {
			if err := h.fill(open, h.failed); err != nil {
				h.fail(err)
			}
		}
		for _, then := range waiting {
			then(h.failed())
		}
	}
}

func (h *holes) failed() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.failure
}

func (h *holes) fail(err error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.failure == nil {
		h.failure = err
	}
}

var errStopped = errors.New("stopped")

// stop ends filling, and returns when nothing is written any more.
func (h *holes) stop() {
	h.fail(errStopped)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for h.filling {
		h.idle.Wait()
	}
}

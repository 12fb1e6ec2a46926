package limit

import (
	"slices"

	"github.com/whetgo/whet/lm"
)

// lines are those in which requests wait. They take turns, each in the order of arrival.
type lines struct {
	all []*line // those with somebody in them, the one whose turn is next first
}

type line struct {
	queue   *lm.Queue
	waiting []*waiter
}

// waiter is a request in a line.
type waiter struct {
	line   *line
	tokens int
	turn   chan struct{} // closed when the wait is over
	err    error         // why it was sent away; set before turn is closed
}

// push puts a waiter at the end of a queue's line.
func (ls *lines) push(q *lm.Queue, w *waiter) {
	i := slices.IndexFunc(ls.all, func(l *line) bool { return l.queue == q })
	if i < 0 {
		i = len(ls.all)
		ls.all = append(ls.all, &line{queue: q})
	}
	w.line = ls.all[i]
	w.line.waiting = append(w.line.waiting, w)
}

// first returns who is next, or nil.
func (ls *lines) first() *waiter {
	if len(ls.all) == 0 {
		return nil
	}
	return ls.all[0].waiting[0]
}

// pop takes who is next out, and gives the turn to the next line.
func (ls *lines) pop() {
	l := ls.all[0]
	ls.all = ls.all[1:]
	if l.waiting = l.waiting[1:]; len(l.waiting) > 0 {
		ls.all = append(ls.all, l)
	}
}

// remove takes a waiter out, wherever it stands, and reports whether it was still there.
func (ls *lines) remove(w *waiter) bool {
	i := slices.Index(w.line.waiting, w)
	if i < 0 {
		return false
	}
	w.line.waiting = slices.Delete(w.line.waiting, i, i+1)
	if len(w.line.waiting) == 0 {
		i := slices.Index(ls.all, w.line)
		ls.all = slices.Delete(ls.all, i, i+1)
	}
	return true
}

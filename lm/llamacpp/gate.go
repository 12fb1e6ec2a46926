package llamacpp

import (
	"context"
	"sync"

	"github.com/whetgo/whet/lm"
)

// gate lets a number of requests in at once. Those outside wait in the lines of their
// contexts, and the lines take turns. Only what is inside holds tokens, so that memory
// does not grow with the number of callers, and a program with many of them does not
// hold up another.
type gate struct {
	mu    sync.Mutex
	free  int
	lines []*line // those with someone in them, the next to be let in first
}

type line struct {
	queue   *lm.Queue
	waiting []chan struct{} // closed for the one that is let in
}

// enter waits to be let in. Who is must leave.
func (g *gate) enter(ctx context.Context) error {
	g.mu.Lock()
	if g.free > 0 && len(g.lines) == 0 {
		g.free--
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	l := g.line(lm.QueueOf(ctx))
	l.waiting = append(l.waiting, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		if !g.give(l, turn) { // let in just now
			g.leave()
		}
		return ctx.Err()
	}
}

// line returns the line of a queue, which g.mu guards.
func (g *gate) line(q *lm.Queue) *line {
	for _, l := range g.lines {
		if l.queue == q {
			return l
		}
	}
	l := &line{queue: q}
	g.lines = append(g.lines, l)
	return l
}

// give gives up a place in a line and reports whether it was still there.
func (g *gate) give(l *line, turn chan struct{}) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, t := range l.waiting {
		if t == turn {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			if len(l.waiting) == 0 {
				g.remove(l)
			}
			return true
		}
	}
	return false
}

func (g *gate) remove(l *line) {
	for i, other := range g.lines {
		if other == l {
			g.lines = append(g.lines[:i], g.lines[i+1:]...)
			return
		}
	}
}

// leave lets the first of the next line in, or frees the place.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.lines) == 0 {
		g.free++
		return
	}
	l := g.lines[0]
	g.lines = g.lines[1:]
	close(l.waiting[0])
	if l.waiting = l.waiting[1:]; len(l.waiting) > 0 {
		g.lines = append(g.lines, l)
	}
}

package evaluate

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// How often progress is written to a terminal and elsewhere.
const (
	terminalEvery = 100 * time.Millisecond
	plainEvery    = 5 * time.Second
)

// progress writes how far an evaluation is. A nil *progress is silent.
type progress struct {
	w        io.Writer
	terminal bool
	total    int
	start    time.Time

	mu     sync.Mutex
	last   time.Time
	done   int
	failed int
	sum    float64
	shown  int // rows in what was written last
}

func newProgress(w io.Writer, total int) *progress {
	if w == nil {
		return nil
	}
	now := time.Now()
	return &progress{w: w, terminal: isTerminal(w), total: total, start: now, last: now}
}

// isTerminal reports whether w is a character device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// row counts one row that ran.
func (p *progress) row(score float64, failed bool) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.sum += score
	if failed {
		p.failed++
	}
	every := plainEvery
	if p.terminal {
		every = terminalEvery
	}
	if now := time.Now(); now.Sub(p.last) >= every {
		p.last = now
		p.write(now)
	}
}

// end writes the last state and, on a terminal, ends the line.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal || p.shown < p.done || p.done == 0 {
		p.write(time.Now())
	}
	if p.terminal {
		_, _ = io.WriteString(p.w, "\n")
	}
}

func (p *progress) write(now time.Time) {
	line := fmt.Sprintf("evaluate: %d/%d rows", p.done, p.total)
	if p.done > 0 {
		line += fmt.Sprintf(", mean %.3f", p.sum/float64(p.done))
	}
	if p.failed > 0 {
		line += fmt.Sprintf(", %d failed", p.failed)
	}
	if s := now.Sub(p.start).Seconds(); s > 0 && p.done > 0 {
		line += fmt.Sprintf(", %.1f rows/s", float64(p.done)/s)
	}
	p.shown = p.done
	if p.terminal {
		line = "\r\x1b[K" + line
	} else {
		line += "\n"
	}
	_, _ = io.WriteString(p.w, line)
}

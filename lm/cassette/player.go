package cassette

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/whetgo/whet/internal/canonical"
	"github.com/whetgo/whet/lm"
)

// Mode says what [Open] does.
type Mode int

// What a cassette is opened for.
const (
	// ModeReplay answers from the cassette and never asks the LM.
	ModeReplay Mode = iota
	// ModeRecord asks the LM always, and takes the place of a cassette that is there.
	ModeRecord
	// ModeAuto answers from the cassette what is known there, and else asks the LM and
	// adds its answer.
	ModeAuto
)

// Player is an LM that answers from a cassette. It is safe for concurrent use.
type Player struct {
	path       string
	scrub      *scrubber
	name       string
	repeatLast bool
	inner      *taped // nil where no LM is asked

	mu      sync.Mutex
	entries []*entry
	known   map[canonical.Digest][]*entry
	next    map[canonical.Digest]int
}

// Entry is a call in a cassette.
type Entry struct {
	// Line is where it stands in the file, from 1.
	Line int
	// Model is the name of the LM that was asked; it may be empty.
	Model string
	// Request is what it was asked, scrubbed.
	Request *lm.Request
}

// Replay returns an LM that answers from the cassette at path.
func Replay(path string, opts ...Option) (*Player, error) {
	return Open(path, nil, ModeReplay, opts...)
}

// Open returns an LM that answers from the cassette at path, from inner, or from both, as
// mode says; inner may be nil for ModeReplay alone. In ModeAuto a cassette that is not there
// is made, and calls that were recorded from an LM of another name than inner's are not
// known. An option that cannot be, or is not for the mode, is an error of kind
// lm.ErrInvalidRequest.
func Open(path string, inner lm.LM, mode Mode, opts ...Option) (*Player, error) {
	c, err := configOf(opts)
	if err != nil {
		return nil, err
	}
	switch {
	case mode < ModeReplay || mode > ModeAuto:
		return nil, invalid("the mode is %d; it must be ModeReplay, ModeRecord or ModeAuto", int(mode))
	case inner == nil && mode != ModeReplay:
		return nil, invalid("there is no LM to record")
	case c.existing != refuse:
		return nil, invalid("Append and Overwrite are for Record; choose a mode instead")
	case c.repeatLast && mode != ModeReplay:
		return nil, invalid("RepeatLast is for replaying; in another mode the LM is asked again")
	}
	p := &Player{path: path, scrub: newScrubber(c.rules), repeatLast: c.repeatLast}
	t, rec := &tape{}, (*Recorder)(nil)
	switch mode {
	case ModeReplay:
		t, err = readFile(path, c, p.scrub)
	case ModeRecord:
		c.existing = overwrite
		rec, err = newRecorder(path, c, p.scrub)
	case ModeAuto:
		rec, t, err = openBoth(path, c, p.scrub)
	}
	if err != nil {
		return nil, err
	}
	name := "" // of calls that are known; empty for all
	if rec != nil {
		p.inner = &taped{rec, inner}
		name = lm.NameOf(inner)
	}
	if err := p.load(t, name); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// load takes over what the file holds.
func (p *Player) load(t *tape, name string) error {
	// Names are scrubbed in the file.
	clean, err := p.scrub.text(text(name))
	if err != nil {
		return err
	}
	p.known, p.next = map[canonical.Digest][]*entry{}, map[canonical.Digest]int{}
	var names []string
	for _, e := range t.entries {
		model := e.line.Model
		if !slices.Contains(names, string(model)) {
			names = append(names, string(model))
		}
		if clean != "" && model != "" && model != clean {
			continue
		}
		p.entries = append(p.entries, e)
		p.known[e.key] = append(p.known[e.key], e)
	}
	switch {
	case p.inner != nil:
		p.name = name
	case slices.Contains(names, ""):
	case len(names) == 1:
		p.name = names[0]
	case len(names) > 1:
		p.name = "cassette(" + strings.Join(names, " | ") + ")"
	}
	return nil
}

// Name implements lm.Named: the name of the LM that is asked, or else of the one that was
// recorded, or of all such as "cassette(a | b)"; empty where one had none.
func (p *Player) Name() string { return p.name }

// Generate implements lm.LM.
func (p *Player) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	e, err := p.find(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case e == nil:
		return p.inner.Generate(ctx, r)
	}
	return e.line.reply()
}

// Stream implements lm.Streamer: a reply of the cassette comes in one event.
func (p *Player) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		e, err := p.find(ctx, r)
		if err == nil && e == nil {
			p.inner.Stream(ctx, r)(yield)
			return
		}
		var resp *lm.Response
		if err == nil {
			resp, err = e.line.reply()
		}
		if err != nil {
			yield(nil, err)
			return
		}
		yield(&lm.Event{Text: resp.Text, Reasoning: resp.Reasoning, Response: resp}, nil)
	}
}

// find takes the next entry for a request; nil means that the LM is to be asked.
func (p *Player) find(ctx context.Context, r *lm.Request) (*entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	l := &line{Request: wireRequest(r)}
	if err := scrub(p.scrub, l); err != nil {
		return nil, err
	}
	key, err := l.key()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	known, n := p.known[key], p.next[key]
	switch {
	case n < len(known):
		p.next[key]++
		known[n].used = true
		return known[n], nil
	case p.inner != nil:
		return nil, nil
	case len(known) > 0 && p.repeatLast:
		return known[len(known)-1], nil
	}
	return nil, p.unknown(&l.Request, len(known))
}

// Unused returns the calls that could have been replayed and were not, in the order of the
// file: a test that ends with some has not done what was recorded.
func (p *Player) Unused() []Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Entry
	for _, e := range p.entries {
		if e.used {
			continue
		}
		if r, err := e.line.Request.lm(); err == nil { // reading the file has tried it
			out = append(out, Entry{Line: e.number, Model: string(e.line.Model), Request: r})
		}
	}
	return out
}

// Close closes the file, where calls are recorded; see [Recorder.Close].
func (p *Player) Close() error {
	if p.inner == nil {
		return nil
	}
	return p.inner.rec.Close()
}

package cassette

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"sync"

	"github.com/whetgo/whet/internal/wire"
	"github.com/whetgo/whet/lm"
)

// Recorder writes what LMs answer to a cassette. It is safe for concurrent use; calls are
// written in the order in which they end.
type Recorder struct {
	path  string
	scrub *scrubber

	mu   sync.Mutex
	file *os.File // nil once it is closed
	size int64
	err  error // why nothing can be written any more
}

// Record makes a cassette at path. A file that is there already is an error, unless
// [Append] or [Overwrite] is given. An option that cannot be, or is not for Record, is an
// error of kind lm.ErrInvalidRequest.
func Record(path string, opts ...Option) (*Recorder, error) {
	c, err := configOf(opts)
	if err != nil {
		return nil, err
	}
	if c.repeatLast {
		return nil, invalid("RepeatLast is for replaying")
	}
	s := newScrubber(c.rules)
	if c.existing == add {
		rec, _, err := openBoth(path, c, s)
		return rec, err
	}
	return newRecorder(path, c, s)
}

// newRecorder makes the file.
func newRecorder(path string, c *config, s *scrubber) (*Recorder, error) {
	f, err := openNew(path, c.existing)
	if err != nil {
		return nil, err
	}
	return recordTo(path, f, s)
}

// openBoth reads the file and opens it to add to it, or makes it where there is none.
func openBoth(path string, c *config, s *scrubber) (*Recorder, *tape, error) {
	t, err := readFile(path, c, s)
	if errors.Is(err, fs.ErrNotExist) {
		rec, err := newRecorder(path, c, s)
		return rec, &tape{}, err
	}
	if err != nil {
		return nil, nil, err
	}
	f, err := openEnd(path, t)
	if err != nil {
		return nil, nil, err
	}
	rec, err := recordTo(path, f, s)
	return rec, t, err
}

func recordTo(path string, f *os.File, s *scrubber) (*Recorder, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fileError(path, 0, ErrUnreadable, err), f.Close())
	}
	return &Recorder{path: path, scrub: s, file: f, size: info.Size()}, nil
}

// Wrap returns m with its calls recorded; it is an lm.Middleware. Several LMs may be
// recorded to one cassette. The wrapped LM returns what m does. Where a call cannot be
// recorded it is not made, or, where that is known only afterwards, returns an error of
// kind lm.ErrUnavailable whose Partial is m's reply.
func (rec *Recorder) Wrap(m lm.LM) lm.LM { return &taped{rec, m} }

// Close makes sure that all that was recorded is on the disk, and closes the file. An LM
// that records returns errors of kind lm.ErrUnavailable then. A second Close does nothing.
func (rec *Recorder) Close() error {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.file == nil {
		return nil
	}
	err := errors.Join(rec.file.Sync(), rec.file.Close())
	rec.file = nil
	if err != nil {
		return fileError(rec.path, 0, ErrUnreadable, err)
	}
	return nil
}

// taped is an LM whose calls are recorded.
type taped struct {
	rec *Recorder
	m   lm.LM
}

// Unwrap implements lm.Wrapper.
func (t *taped) Unwrap() lm.LM { return t.m }

// Generate implements lm.LM.
func (t *taped) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	l, err := t.rec.prepare(ctx, t.m, r)
	if err != nil {
		return nil, err
	}
	resp, err := t.m.Generate(ctx, r)
	if werr := t.rec.finish(ctx, l, resp, err); werr != nil {
		return nil, werr
	}
	return resp, err
}

// Stream implements lm.Streamer. The call is recorded before its last event is shown.
func (t *taped) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		l, err := t.rec.prepare(ctx, t.m, r)
		if err != nil {
			yield(nil, err)
			return
		}
		for event, err := range lm.Stream(ctx, t.m, r) {
			var whole *lm.Response
			if event != nil {
				whole = event.Response
			}
			if err != nil || whole != nil {
				if werr := t.rec.finish(ctx, l, whole, err); werr != nil {
					yield(nil, werr)
					return
				}
			}
			if !yield(event, err) || err != nil || whole != nil {
				return
			}
		}
		// As with Generate there is nothing to record.
		yield(nil, &lm.Error{Kind: lm.ErrBackend, Provider: "cassette", Model: lm.NameOf(t.m), Message: "the model's stream ended without a reply or an error"})
	}
}

// prepare makes all of a line that is known before the call, so that a call which cannot
// be recorded costs nothing.
func (rec *Recorder) prepare(ctx context.Context, m lm.LM, r *lm.Request) (*line, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, invalid("the LM to record is nil")
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	l := &line{Model: text(lm.NameOf(m)), Request: wireRequest(r)}
	if err := scrub(rec.scrub, l); err != nil {
		return nil, err
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return l, rec.broken()
}

// broken returns why nothing can be written, or nil. The lock must be held.
func (rec *Recorder) broken() error {
	switch {
	case rec.err != nil:
		return fileError(rec.path, 0, ErrUnreadable, rec.err)
	case rec.file == nil:
		return fileError(rec.path, 0, ErrUnreadable, errors.New("the cassette has been closed"))
	}
	return nil
}

// finish writes the line. Its error has the reply with it, which was paid for.
func (rec *Recorder) finish(ctx context.Context, l *line, resp *lm.Response, err error) error {
	if !l.answer(ctx, resp, err) {
		return nil
	}
	werr := rec.write(l)
	if e, ok := errors.AsType[*lm.Error](werr); ok {
		e.Partial = resp
		e.Message += "; the call was made and not recorded"
	}
	return werr
}

// answer sets what came of the call. It reports false where there is nothing to replay: the
// caller has left, or the LM returned neither a reply nor an error.
func (l *line) answer(ctx context.Context, resp *lm.Response, err error) bool {
	if err == nil {
		l.Response = wire.FromResponse(resp)
		return resp != nil
	}
	l.Error = wireError(err)
	return ctx.Err() == nil
}

func (rec *Recorder) write(l *line) error {
	if err := scrub(rec.scrub, l.Response); err != nil {
		return err
	}
	if err := scrub(rec.scrub, l.Error); err != nil {
		return err
	}
	data, err := encodeLine(l)
	if err != nil {
		return fileError(rec.path, 0, ErrMalformed, err)
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if err := rec.broken(); err != nil {
		return err
	}
	if _, err := rec.file.Write(data); err != nil {
		// What is there of the line goes, so that the file stays whole.
		rec.err = errors.Join(err, rec.file.Truncate(rec.size))
		return rec.broken()
	}
	rec.size += int64(len(data))
	return nil
}

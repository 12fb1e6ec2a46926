package module

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"os"
	"time"
)

// Watch takes over what is written to the file until ctx ends, and returns ctx's
// error. It looks at the file's size and time at each poll ([PollEvery]) and reads
// it when they have changed; within two seconds after a change, which is how coarse
// the times of some file systems are, it reads the file at each poll.
//
// A file that is refused, for example because it is written in place and not
// complete yet, is told of once ([OnReload]), and tried again when its bytes have
// changed. It is better written anew and renamed, as [Save] does.
func (l *Live[In, Out]) Watch(ctx context.Context) error {
	tick := time.NewTicker(l.options.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			l.poll(ctx)
		}
	}
}

// Reload reads the file and takes over what it holds. On error, which is a
// *LoadError or what the function given to [Verify] returned, the version before
// goes on.
func (l *Live[In, Out]) Reload(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.load(ctx)
	l.tell(err)
	return err
}

// reading is what came of reading the file last, to tell when it has to be read
// again.
type reading struct {
	info fs.FileInfo
	at   time.Time
	// sum is that of the bytes, when they could be read; problem is the error when
	// they could not.
	sum     [sha256.Size]byte
	problem string
}

// load reads the file and makes its version the current one. l.mu is held, or l is
// new.
func (l *Live[In, Out]) load(ctx context.Context) error {
	now, data, err := l.read()
	if err == nil {
		err = l.verified(ctx, data)
	}
	if ctx.Err() == nil { // else as if it had not been looked at
		l.last = now
	}
	return err
}

// poll does what load does, when there is something new, and tells of it.
func (l *Live[In, Out]) poll(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if info, err := os.Stat(l.path); err == nil && l.last.settled() && sameFile(l.last.info, info) {
		return
	}
	now, data, err := l.read()
	same := now.sum == l.last.sum && now.problem == l.last.problem
	if err == nil && !same {
		err = l.verified(ctx, data)
	}
	if ctx.Err() != nil {
		return
	}
	l.last = now
	if !same {
		l.tell(err)
	}
}

// read reads the file. What is known of it is older than its bytes, so that a
// change in between shows at the next look.
func (l *Live[In, Out]) read() (reading, []byte, error) {
	now := reading{at: time.Now()}
	now.info, _ = os.Stat(l.path) // reading it says what is wrong
	data, err := readFile(l.path, newLoadOptions(l.options.load).maxSize)
	if err != nil {
		now.problem = err.Error()
		return now, nil, err
	}
	now.sum = sha256.Sum256(data)
	return now, data, nil
}

// settled reports whether a later change would show in the file's size or time.
func (r reading) settled() bool {
	return r.info != nil && r.at.Sub(r.info.ModTime()) > 2*time.Second
}

func sameFile(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// tell calls the user's function. l.mu is held, so that events keep their order.
func (l *Live[In, Out]) tell(err error) {
	e := LiveEvent{Version: l.Version(), Err: err}
	if err == nil {
		e.Report = l.Report()
	}
	l.options.event(e)
}

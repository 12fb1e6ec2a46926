package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/whetgo/whet/lm"
)

// Store keeps answers; see the package comment. It is safe for concurrent use. Make one by
// [Open] or [Memory].
type Store struct {
	config  config
	memory  *lru
	disk    *disk // nil for a store without a file
	flights flights
	closed  atomic.Bool

	memoryHits, diskHits, misses, shared atomic.Int64
	corrupt, failures, fingerprints      atomic.Int64

	mu      sync.Mutex
	failure error // the first one, where there is no OnError
}

// Stats counts what a [Store] has done since it was made. A call is counted once, as a hit,
// a miss or shared.
type Stats struct {
	// MemoryHits and DiskHits are the calls that were answered from there.
	MemoryHits, DiskHits int64
	// Misses are the calls for which the model was asked, also where that failed.
	Misses int64
	// Shared are the calls that waited for another one's answer.
	Shared int64
	// Corrupt are the entries that were damaged; each was a miss and is removed.
	Corrupt int64
	// Errors are the failures to read or store an answer.
	Errors int64
	// Fingerprints is how often a model's fingerprint has changed.
	Fingerprints int64
	// MemoryEntries and MemoryBytes are what is in memory now, the bytes roughly.
	MemoryEntries int
	MemoryBytes   int64
}

// Open opens the store in the file at path, and makes it where there is none. Several
// processes, and several Stores of one, may have it open at once. A file that is not a
// store, is damaged or of a newer version, and a path where none can be, is an [*Error].
// The context is that of the opening alone.
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	s := newStore(opts)
	if s.config.err != nil {
		return nil, s.config.err
	}
	var err error
	if s.disk, err = openDisk(ctx, path, s.config); err != nil {
		return nil, err
	}
	return s, nil
}

// Memory makes a store without a file: answers are gone when it is, and when there are more
// than [MemoryBytes] allows. A bad option is an error of the first call.
func Memory(opts ...Option) *Store { return newStore(opts) }

func newStore(opts []Option) *Store {
	c := newConfig(opts)
	return &Store{config: c, memory: newLRU(c.memory), flights: flights{running: map[key]*flight{}}}
}

// Stats returns what has been counted so far.
func (s *Store) Stats() Stats {
	entries, bytes := s.memory.usage()
	return Stats{
		MemoryHits: s.memoryHits.Load(), DiskHits: s.diskHits.Load(), Misses: s.misses.Load(), Shared: s.shared.Load(),
		Corrupt: s.corrupt.Load(), Errors: s.failures.Load(), Fingerprints: s.fingerprints.Load(),
		MemoryEntries: entries, MemoryBytes: bytes,
	}
}

// Err returns the first failure to read or store an answer, or nil. With [OnError] it
// returns nil.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// Close waits for the calls in flight, whose answers are paid, and closes the file. Calls
// after it are refused with an error of kind [lm.ErrUnavailable]. It returns [Store.Err],
// and what went wrong with the file; a second call returns nil.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.flights.close()
	err := s.Err()
	if s.disk != nil {
		err = errors.Join(err, s.disk.close())
	}
	return err
}

// usable returns why the store cannot answer, if it cannot.
func (s *Store) usable(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.config.err != nil:
		return s.config.err
	case s.closed.Load():
		return errClosed()
	}
	return nil
}

func errClosed() error {
	return &lm.Error{Kind: lm.ErrUnavailable, Provider: "cache", Message: "the answer store is closed"}
}

// fail counts a failure of the file, and tells of it.
func (s *Store) fail(err error) {
	s.failures.Add(1)
	if s.config.onError != nil {
		s.config.onError(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == nil {
		s.failure = err
	}
}

// damaged counts an entry that is not as it was written. That is no failure: it has cost one
// answer.
func (s *Store) damaged(err error) {
	s.corrupt.Add(1)
	if s.config.onError != nil {
		s.config.onError(err)
	}
}

// removeDamaged removes the rows that Entries has found damaged.
func (s *Store) removeDamaged(ctx context.Context, rows []damagedRow) {
	for _, r := range rows {
		s.damaged(r.err)
		if _, err := s.disk.change(ctx, "a damaged entry cannot be removed", `DELETE FROM entries WHERE id = ?`, r.id); err != nil && ctx.Err() == nil {
			s.fail(err)
		}
	}
}

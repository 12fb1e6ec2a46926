package cache

import (
	"context"
	"fmt"
	"time"

	"github.com/whetgo/whet/lm"
)

// Limit says what [Store.Prune] keeps.
type Limit struct {
	// MaxAge keeps the answers that were stored no longer ago; 0 keeps them all.
	MaxAge time.Duration
	// MaxBytes keeps the newest answers whose requests and replies take no more bytes
	// together; the file is a little larger. 0 keeps them all.
	MaxBytes int64
}

// rowBytes is what a row takes besides its request and response, roughly.
const rowBytes = 300

// Prune removes the answers beyond the limit and gives their space back to the disk, for which
// the file is written anew. It returns how many answers it removed. A failure is an [*Error],
// or that of the context; a negative limit is an error of kind [lm.ErrInvalidRequest].
func (s *Store) Prune(ctx context.Context, keep Limit) (int, error) {
	if keep.MaxAge < 0 || keep.MaxBytes < 0 {
		return 0, invalid(fmt.Sprintf("Prune: the limit %+v is negative; 0 keeps all", keep))
	}
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	oldest := s.config.now().Add(-keep.MaxAge)
	tooOld := func(k *kept) bool { return keep.MaxAge > 0 && k.created.Before(oldest) }
	if s.disk == nil {
		n := s.memory.deleteIf(tooOld)
		if keep.MaxBytes > 0 {
			n += s.memory.shrinkTo(keep.MaxBytes)
		}
		return n, nil
	}
	n, err := s.disk.prune(ctx, keep, oldest)
	if n > 0 {
		// Which ones the file has lost is not known.
		s.memory.deleteIf(func(*kept) bool { return true })
	}
	return n, err
}

func (d *disk) prune(ctx context.Context, keep Limit, oldest time.Time) (int, error) {
	const failure = "entries cannot be removed"
	removed := 0
	if keep.MaxAge > 0 {
		n, err := d.change(ctx, failure, `DELETE FROM entries WHERE created < ?`, oldest.UTC().Format(createdLayout))
		if err != nil {
			return removed, err
		}
		removed += n
	}
	if keep.MaxBytes > 0 {
		n, err := d.change(ctx, failure, `DELETE FROM entries WHERE id IN (
  SELECT id FROM (
    SELECT id, sum(octet_length(request) + octet_length(response) + ?) OVER (ORDER BY created DESC, id DESC) AS total FROM entries
  ) WHERE total > ?
)`, rowBytes, keep.MaxBytes)
		if err != nil {
			return removed, err
		}
		removed += n
	}
	if removed == 0 {
		return 0, nil
	}
	for _, s := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := d.change(ctx, "the entries are removed, but their space cannot be given back", s); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// Delete removes the answer to a request of the model of that name, and reports whether
// there was one. The request's next call asks the model again.
func (s *Store) Delete(ctx context.Context, model string, r *lm.Request) (bool, error) {
	if r == nil {
		return false, invalid("Delete: the request is nil")
	}
	if err := s.usable(ctx); err != nil {
		return false, err
	}
	k := keyOf(model, r)
	found := s.memory.delete(k)
	if s.disk == nil {
		return found, nil
	}
	stored, err := s.disk.delete(ctx, k)
	return found || stored, err
}

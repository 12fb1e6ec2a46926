package cache

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"strconv"
	"time"

	"github.com/whetgo/whet/lm"
)

// Entry is a stored answer.
type Entry struct {
	// Key is what the answer is known by, in hex.
	Key string
	// Model is the model's name, or what [Name] gave it.
	Model string
	// Rollout is that of the request.
	Rollout int
	// Created is when the answer was stored, to the millisecond.
	Created time.Time
	// Request is the request as JSON, for people; nil with [OmitRequests].
	Request json.RawMessage
	// Response is the reply as the model gave it, with what it has cost.
	Response *lm.Response
}

// batch is how many entries are read at once.
const batch = 64

// Entries returns all stored answers, those of a file in the order in which they were stored.
// Damaged ones are left out, counted and removed. An error, which is an [*Error] or that of
// the context, ends the loop. The store may be used, and changed, meanwhile.
func (s *Store) Entries(ctx context.Context) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		if err := s.usable(ctx); err != nil {
			yield(nil, err)
			return
		}
		if s.disk == nil {
			for _, k := range s.memory.all() {
				e := &Entry{Key: k.key.String(), Model: k.model, Rollout: k.rollout, Created: k.created, Request: rawRequest(k.request), Response: k.resp.Clone()}
				if !yield(e, nil) {
					return
				}
			}
			return
		}
		for last := int64(-1 << 63); ; {
			entries, next, damaged, err := s.disk.list(ctx, last)
			s.removeDamaged(ctx, damaged)
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
			switch {
			case err != nil:
				yield(nil, err)
				return
			case next == last:
				return
			}
			last = next
		}
	}
}

func rawRequest(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

// damagedRow is a row that is not as it was written.
type damagedRow struct {
	id  int64
	err *Error
}

// list reads some rows behind the one of number last. next is the last one's, and last
// itself where there are none left.
func (d *disk) list(ctx context.Context, last int64) (entries []*Entry, next int64, damaged []damagedRow, err error) {
	next = last
	rows, err := d.db.QueryContext(ctx, `SELECT id, key, model, rollout, fingerprint, created, checksum, request, response
FROM entries WHERE id > ? ORDER BY id LIMIT ?`, last, batch)
	if err != nil {
		return nil, last, nil, d.failed(ctx, "the entries cannot be read", err)
	}
	defer rows.Close()
	for rows.Next() {
		// Of any type: a damaged row may hold anything.
		var key, model, rollout, fingerprint, created, sum, request, response sql.NullString
		var id int64
		if err := rows.Scan(&id, &key, &model, &rollout, &fingerprint, &created, &sum, &request, &response); err != nil {
			return entries, next, damaged, d.failed(ctx, "the entries cannot be read", err)
		}
		if id <= next { // an index that is out of order would have no end
			return entries, next, damaged, &Error{Kind: ErrDamaged, Path: d.path, Message: "the entries are out of order; move the file away, or save what can be read with the command .recover of sqlite3"}
		}
		next = id
		number, err := strconv.ParseInt(rollout.String, 10, 64)
		if err != nil {
			damaged = append(damaged, damagedRow{id, d.damaged(key.String, err)})
			continue
		}
		resp, at, err := verify(key.String, model.String, number, fingerprint.String, created.String, sum.String, response.String)
		if err != nil {
			damaged = append(damaged, damagedRow{id, d.damaged(key.String, err)})
			continue
		}
		entries = append(entries, &Entry{
			Key: key.String, Model: model.String, Rollout: int(number), Created: at,
			Request: rawRequest(request.String), Response: resp,
		})
	}
	if err := rows.Err(); err != nil {
		return entries, next, damaged, d.failed(ctx, "the entries cannot be read", err)
	}
	return entries, next, damaged, nil
}

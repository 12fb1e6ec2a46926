package cache

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	_ "modernc.org/sqlite" // SQLite without cgo, as the driver "sqlite"

	"github.com/whetgo/whet/lm"
)

// connections is how many connections read at once, in one process.
const connections = 4

// createdLayout is how a row says when it was made: UTC, in texts that sort like times.
const createdLayout = "2006-01-02T15:04:05.000Z"

// disk is the store's file.
type disk struct {
	path string
	db   *sql.DB
	drop bool // entries of other fingerprints go when a model's changes
	// writing lets one goroutine of this process write: they would wait for each other in
	// SQLite, which looks again only every now and then.
	writing sync.Mutex

	find, insert *sql.Stmt
}

// row is an answer on its way into the file.
type row struct {
	key         key
	model       string
	rollout     int
	fingerprint string
	created     time.Time
	request     string
	response    string
}

// openDisk opens the file. The context is that of the opening only.
func openDisk(ctx context.Context, path string, c config) (*disk, error) {
	abs, fresh, err := checkPath(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(abs, c.pragmas))
	if err != nil {
		return nil, &Error{Kind: ErrPath, Path: abs, Message: "the path cannot be opened", Err: err}
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	d := &disk{path: abs, db: db, drop: c.drop}
	if err := d.prepare(ctx, fresh); err != nil {
		_ = db.Close() // the first error tells more
		return nil, err
	}
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&d.find, `SELECT fingerprint, created, checksum, response FROM entries WHERE key = ?`},
		{&d.insert, `INSERT INTO entries (key, model, rollout, fingerprint, created, checksum, request, response)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`},
	} {
		if *s.stmt, err = db.PrepareContext(ctx, s.text); err != nil {
			_ = db.Close()
			return nil, storageError(abs, "a statement cannot be prepared", err)
		}
	}
	return d, nil
}

// get returns the answer of that key, nil where there is none, and an *Error of kind
// ErrDamaged for one that is not as it was written.
func (d *disk) get(ctx context.Context, k key, model string, rollout int) (*lm.Response, time.Time, error) {
	var fingerprint, created, sum, response string
	name := k.String()
	switch err := d.find.QueryRowContext(ctx, name).Scan(&fingerprint, &created, &sum, &response); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, time.Time{}, nil
	case err != nil && codeOf(err) != 0:
		return nil, time.Time{}, storageError(d.path, "an answer cannot be read", err)
	case err != nil: // a value is not of its column's type
		return nil, time.Time{}, d.damaged(name, err)
	}
	resp, at, err := verify(name, model, int64(rollout), fingerprint, created, sum, response)
	if err != nil {
		return nil, time.Time{}, d.damaged(name, err)
	}
	return resp, at, nil
}

// verify returns what a row holds, if its checksum is right.
func verify(key, model string, rollout int64, fingerprint, created, sum, response string) (*lm.Response, time.Time, error) {
	if checksum(key, model, rollout, fingerprint, created, response) != sum {
		return nil, time.Time{}, errors.New("the checksum does not match")
	}
	at, err := time.Parse(createdLayout, created)
	if err != nil {
		return nil, time.Time{}, err
	}
	resp, err := decodeResponse(response)
	return resp, at, err
}

func (d *disk) damaged(key string, err error) *Error {
	return &Error{Kind: ErrDamaged, Path: d.path, Message: fmt.Sprintf("the entry %.16s is not as it was written and is removed; its request is asked again", key), Err: err}
}

// put stores an answer. stored is false where another process has stored one before: that
// one stays. old is the model's fingerprint before, and changed reports that it is another.
func (d *disk) put(ctx context.Context, r row) (stored bool, old string, changed bool, err error) {
	d.writing.Lock()
	defer d.writing.Unlock()
	created := r.created.UTC().Format(createdLayout)
	err = d.transaction(ctx, func(tx *sql.Tx) error {
		var err error
		if r.fingerprint != "" {
			if old, changed, err = d.fingerprint(ctx, tx, r.model, r.fingerprint, created); err != nil {
				return err
			}
		}
		name := r.key.String()
		sum := checksum(name, r.model, int64(r.rollout), r.fingerprint, created, r.response)
		result, err := tx.StmtContext(ctx, d.insert).ExecContext(ctx, name, r.model, r.rollout, r.fingerprint, created, sum, r.request, r.response)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		stored = n > 0
		return err
	})
	if err != nil {
		return false, "", false, storageError(d.path, "an answer cannot be stored", err)
	}
	return stored, old, changed, nil
}

// fingerprint notes the fingerprint of a model.
func (d *disk) fingerprint(ctx context.Context, tx *sql.Tx, model, current, now string) (old string, changed bool, err error) {
	switch err := tx.QueryRowContext(ctx, `SELECT fingerprint FROM models WHERE name = ?`, model).Scan(&old); {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return "", false, err
	case old == current:
		return old, false, nil
	default:
		changed = true
	}
	if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO models (name, fingerprint, changed) VALUES (?, ?, ?)`, model, current, now); err != nil {
		return "", false, err
	}
	if changed && d.drop {
		if _, err := tx.ExecContext(ctx, `DELETE FROM entries WHERE model = ? AND fingerprint <> ?`, model, current); err != nil {
			return "", false, err
		}
	}
	return old, changed, nil
}

// transaction runs f in a transaction that has the right to write from its beginning.
func (d *disk) transaction(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the first error tells more
		return err
	}
	return tx.Commit()
}

// delete removes the entry of that key and reports whether there was one.
func (d *disk) delete(ctx context.Context, k key) (bool, error) {
	n, err := d.change(ctx, "an entry cannot be removed", `DELETE FROM entries WHERE key = ?`, k.String())
	return n > 0, err
}

// change runs a statement that writes and returns how many rows it touched.
func (d *disk) change(ctx context.Context, failure, statement string, args ...any) (int, error) {
	d.writing.Lock()
	defer d.writing.Unlock()
	result, err := d.db.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, d.failed(ctx, failure, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, d.failed(ctx, failure, err)
	}
	return int(n), nil
}

// failed makes an error of what a statement returned: that of the context where it ended.
func (d *disk) failed(ctx context.Context, failure string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return storageError(d.path, failure, err)
}

// close closes the file; the last process moves what is in the log into the file itself.
func (d *disk) close() error {
	if err := d.db.Close(); err != nil {
		return storageError(d.path, "the file cannot be closed", err)
	}
	return nil
}

package cache

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	// applicationID is "whet" as a number, by which a file says that it is an answer store.
	applicationID = 2003330420
	// schemaVersion is that of the tables below.
	schemaVersion = 1
)

// tables are the tables of the file, by name.
var tables = [...]struct{ name, create string }{
	{"entries", `CREATE TABLE entries (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  model TEXT NOT NULL,
  rollout INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  created TEXT NOT NULL,
  checksum TEXT NOT NULL,
  request TEXT NOT NULL,
  response TEXT NOT NULL
)`},
	{"models", `CREATE TABLE models (
  name TEXT PRIMARY KEY NOT NULL,
  fingerprint TEXT NOT NULL,
  changed TEXT NOT NULL
)`},
}

// identity is what a file says it is.
type identity struct{ application, version, objects int }

func (i identity) empty() bool { return i == identity{} }

// readIdentity reads it in one statement, so that nobody writes in between.
const readIdentity = `SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
FROM pragma_application_id AS a, pragma_user_version AS v`

type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func identify(ctx context.Context, q rowQuerier) (identity, error) {
	var i identity
	err := q.QueryRowContext(ctx, readIdentity).Scan(&i.application, &i.version, &i.objects)
	return i, err
}

// prepare makes the tables of a new file, and refuses one that is not a store of this
// version. Nothing is written to a file that is refused.
func (d *disk) prepare(ctx context.Context, fresh bool) error {
	if err := d.db.PingContext(ctx); err != nil {
		return storageError(d.path, "the file cannot be opened", err)
	}
	if fresh {
		// SQLite has just made the file; what it makes beside it gets the same mode.
		if err := os.Chmod(d.path, 0o600); err != nil {
			return &Error{Kind: ErrPath, Path: d.path, Message: "the mode of the file cannot be set", Err: err}
		}
	}
	id, err := identify(ctx, d.db)
	if err == nil && id.empty() {
		id, err = d.create(ctx)
	}
	if err != nil {
		return storageError(d.path, "the file cannot be read", err)
	}
	switch {
	case id.application != applicationID:
		return &Error{Kind: ErrForeign, Path: d.path, Message: "the file is a database of another program; give another path, or move the file away"}
	case id.version > schemaVersion:
		return &Error{Kind: ErrNewer, Path: d.path, Message: fmt.Sprintf("the file has version %d of the schema, and this program knows %d; update the program, or give another path", id.version, schemaVersion)}
	case id.version != schemaVersion:
		return &Error{Kind: ErrDamaged, Path: d.path, Message: fmt.Sprintf("the file has version %d of the schema, which never was; move the file away", id.version)}
	}
	for _, t := range tables {
		var create string
		err := d.db.QueryRowContext(ctx, `SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`, t.name).Scan(&create)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return storageError(d.path, "the tables cannot be read", err)
		}
		if create != t.create {
			return &Error{Kind: ErrDamaged, Path: d.path, Message: fmt.Sprintf("the table %s is not as it was made; move the file away, or save what can be read with the command .recover of sqlite3", t.name)}
		}
	}
	return d.writeAhead(ctx)
}

// create makes the tables in one transaction, unless another process was quicker.
func (d *disk) create(ctx context.Context) (identity, error) {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return identity{}, err
	}
	defer func() { _ = tx.Rollback() }() // it does nothing after Commit
	id, err := identify(ctx, tx)
	if err != nil || !id.empty() {
		return id, err
	}
	id = identity{applicationID, schemaVersion, len(tables)}
	statements := []string{fmt.Sprintf("PRAGMA application_id = %d", id.application), fmt.Sprintf("PRAGMA user_version = %d", id.version)}
	for _, t := range tables {
		statements = append(statements, t.create)
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return identity{}, err
		}
	}
	return id, tx.Commit()
}

// How often and how far apart writeAhead tries.
const (
	walAttempts = 1000
	walPause    = 10 * time.Millisecond
)

// writeAhead sets WAL mode, which the file keeps. SQLite does not wait by itself for others
// that hold the file meanwhile.
func (d *disk) writeAhead(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		var mode string
		err := d.db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		switch {
		case err == nil && mode == "wal":
			return nil
		case err == nil:
			return &Error{Kind: ErrStorage, Path: d.path, Message: fmt.Sprintf("the file stays in the journal mode %q, and processes share it in the mode wal only; give a path on a local disk", mode)}
		case codeOf(err) != codeBusy || attempt == walAttempts:
			return storageError(d.path, "the file cannot be set to the mode wal", err)
		}
		pause := time.NewTimer(walPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
}

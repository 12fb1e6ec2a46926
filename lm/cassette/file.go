package cassette

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/whetgo/whet/internal/canonical"
	"github.com/whetgo/whet/lm"
)

// maxFile is how many bytes a cassette may have.
const maxFile = 1 << 30

// Problem is what makes a file no usable cassette. Each is itself an error, so that
// errors.Is(err, cassette.ErrTruncated) works.
type Problem string

// Error returns the problem's text.
func (p Problem) Error() string { return string(p) }

// What is wrong with a file.
const (
	// ErrUnreadable: the file is not there, may not be read or written, is no regular
	// file, or too large.
	ErrUnreadable Problem = "cannot be used"
	// ErrMalformed: a line is not what a cassette holds, or there is no first line with
	// a version.
	ErrMalformed Problem = "is malformed"
	// ErrTruncated: the last line was cut, or the file is empty; see [TolerateCut].
	ErrTruncated Problem = "is truncated"
	// ErrNewer: the file was written by a newer version of this package.
	ErrNewer Problem = "is of a newer version"
	// ErrExists: the file is there already, and neither [Append] nor [Overwrite] was given.
	ErrExists Problem = "exists already"
)

// FileError is a cassette that cannot be used.
type FileError struct {
	Path string
	// Line counts from 1; it is 0 where the whole file is meant.
	Line    int
	Problem Problem
	// Err says more; it may be nil.
	Err error
}

// Error returns file, line, problem and cause.
func (e *FileError) Error() string {
	where := e.Path
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.Path, e.Line)
	}
	if e.Err == nil {
		return where + " " + string(e.Problem)
	}
	return fmt.Sprintf("%s %s: %v", where, e.Problem, e.Err)
}

// Unwrap returns the problem and the cause.
func (e *FileError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Problem}
	}
	return []error{e.Problem, e.Err}
}

func fileError(path string, at int, problem Problem, err error) error {
	return &lm.Error{Kind: lm.ErrUnavailable, Provider: "cassette", Message: "no usable cassette", Err: &FileError{path, at, problem, err}}
}

// entry is a line of a file.
type entry struct {
	line   *line
	number int
	key    canonical.Digest
	used   bool
}

// tape is what a file holds.
type tape struct {
	entries []*entry
	// headed reports that there is a first line, and end is where the next one goes, behind
	// a line end where endless reports that one is missing.
	headed  bool
	end     int64
	endless bool
}

// readFile reads a cassette and scrubs it: what was recorded without a rule that is given
// now must be known by the same key as a request that comes now.
func readFile(path string, c *config, s *scrubber) (*tape, error) {
	info, err := os.Stat(path) // before opening it, which might wait for a pipe's other end
	switch {
	case err != nil:
		return nil, fileError(path, 0, ErrUnreadable, err)
	case !info.Mode().IsRegular():
		return nil, fileError(path, 0, ErrUnreadable, errors.New("it is not a regular file"))
	case info.Size() > maxFile:
		return nil, fileError(path, 0, ErrUnreadable, fmt.Errorf("it has %d bytes, and a cassette at most %d", info.Size(), maxFile))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(path, 0, ErrUnreadable, err)
	}
	return readTape(path, data, c, s)
}

func readTape(path string, data []byte, c *config, s *scrubber) (*tape, error) {
	t := &tape{}
	if len(data) == 0 && !c.tolerate {
		return nil, fileError(path, 0, ErrTruncated, errors.New("it is empty"))
	}
	for number := 1; int(t.end) < len(data); number++ {
		rest := data[t.end:]
		size := bytes.IndexByte(rest, '\n') + 1
		cut := size == 0 // or complete but for its end, as some editors leave it
		if cut {
			size = len(rest)
		}
		content := bytes.TrimSpace(rest[:size])
		var problem error
		switch {
		case len(content) == 0 && !cut:
		case !t.headed:
			v, err := decodeHeader(content)
			if err == nil && v > version {
				return nil, fileError(path, number, ErrNewer, fmt.Errorf("the file has version %d, and this package reads up to %d; use a newer one", v, version))
			}
			t.headed, problem = err == nil, err
		default:
			problem = t.add(content, number, s)
		}
		if invalid, ok := errors.AsType[*lm.Error](problem); ok {
			return nil, invalid // a scrubbing rule without an end
		}
		switch {
		case problem != nil && cut && c.tolerate:
			return t, nil
		case problem != nil && cut:
			return nil, fileError(path, number, ErrTruncated, fmt.Errorf("the last line was cut; record it again or leave it out with TolerateCut: %w", problem))
		case problem != nil:
			return nil, fileError(path, number, ErrMalformed, problem)
		}
		t.end += int64(size)
		t.endless = cut
	}
	if !t.headed && len(data) > 0 {
		return nil, fileError(path, 1, ErrMalformed, errors.New("it holds nothing but empty lines"))
	}
	return t, nil
}

// add decodes a line.
func (t *tape) add(data []byte, number int, s *scrubber) error {
	l, err := decodeLine(data)
	if err != nil {
		return err
	}
	if err := scrub(s, l); err != nil {
		return err
	}
	key, err := l.key()
	if err != nil {
		return err
	}
	t.entries = append(t.entries, &entry{line: l, number: number, key: key})
	return nil
}

// openNew makes a file with a first line, or one of a file that may be overwritten. The mode is that of a file
// that only its owner may read.
func openNew(path string, e existing) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if e == overwrite {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return nil, fileError(path, 0, ErrUnreadable, errors.New("it is not a regular file"))
		}
		flags |= os.O_TRUNC
	} else {
		flags |= os.O_EXCL
	}
	f, err := os.OpenFile(path, flags, mode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, fileError(path, 0, ErrExists, errors.New("add to it with Append, or replace it with Overwrite"))
	case err != nil:
		return nil, fileError(path, 0, ErrUnreadable, err)
	}
	if err = f.Chmod(mode); err == nil { // it may have been there with another
		_, err = f.Write(encodeHeader())
	}
	if err != nil {
		return nil, errors.Join(fileError(path, 0, ErrUnreadable, err), f.Close())
	}
	return f, nil
}

// mode is that of new cassettes.
const mode fs.FileMode = 0o600

// openEnd opens a file to add to it behind what was read.
func openEnd(path string, t *tape) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, mode)
	if err != nil {
		return nil, fileError(path, 0, ErrUnreadable, err)
	}
	err = f.Truncate(t.end)
	switch {
	case err != nil:
	case !t.headed:
		_, err = f.Write(encodeHeader())
	case t.endless:
		_, err = f.WriteString("\n")
	}
	if err != nil {
		return nil, errors.Join(fileError(path, 0, ErrUnreadable, err), f.Close())
	}
	return f, nil
}

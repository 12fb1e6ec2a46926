package openai

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// errLongLine is what an event with more than the allowed bytes ends in.
var errLongLine = errors.New("a line of the stream is too long")

// event is a message of a stream of server-sent events.
type event struct {
	kind string // "" for the usual
	data []byte
}

// eventReader reads server-sent events: lines that end in LF or CRLF, joined to one event
// up to an empty line. Comments and fields that mean nothing here are left out. An event
// whose empty line has not come counts for nothing, so that a stream that was cut shows.
type eventReader struct {
	in    *bufio.Reader
	limit int64
	begun bool
}

func newEventReader(r io.Reader, limit int64) *eventReader {
	return &eventReader{in: bufio.NewReaderSize(r, 16<<10), limit: limit}
}

// next returns the next event with data. At the end of the stream it returns io.EOF, and
// io.ErrUnexpectedEOF where an event had begun.
func (r *eventReader) next() (event, error) {
	var e event
	has := false
	for {
		line, kept, err := r.line()
		if err != nil {
			if errors.Is(err, io.EOF) && (has || len(line) > 0) {
				err = io.ErrUnexpectedEOF
			}
			return event{}, err
		}
		if len(line) == 0 {
			if has {
				return e, nil
			}
			e.kind = ""
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			switch {
			case has && int64(len(e.data)+1+len(value)) > r.limit:
				return event{}, errLongLine
			case has:
				e.data = append(append(e.data, '\n'), value...)
			case kept:
				e.data = value
			default:
				e.data = bytes.Clone(value)
			}
			has = true
		case "event":
			e.kind = string(value)
		}
	}
}

// line returns a line without its end. With an error it returns what had come of it. It is
// valid until the next call, unless it may be kept.
func (r *eventReader) line() (line []byte, kept bool, err error) {
	if !r.begun {
		r.begun = true
		if head, _ := r.in.Peek(3); string(head) == "\xEF\xBB\xBF" {
			_, _ = r.in.Discard(3) // allowed here, and in no JSON
		}
	}
	part, err := r.in.ReadSlice('\n')
	if err == nil {
		return endless(part), false, nil
	}
	long := buffer{limit: r.limit}
	for {
		if _, full := long.Write(part); full != nil {
			return nil, false, errLongLine
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
		part, err = r.in.ReadSlice('\n')
	}
	if err != nil {
		return long.bytes(), false, err
	}
	return endless(long.bytes()), true, nil
}

// endless returns a line without its end.
func endless(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

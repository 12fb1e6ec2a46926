package lmtest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Fault says how a [Server] answers one request. Its zero value is the right answer, and
// each field changes one thing about it.
type Fault struct {
	// Status is the HTTP status; 0 means that of the right answer. Any other than 200 comes
	// with an error object for a body.
	Status int
	// Header is set in the answer, in place of what the right answer has under that name.
	Header http.Header
	// Body writes the body in place of the right one, which it is given; nil sends the
	// right one. An error of w means that nobody reads any more: it must be returned.
	Body func(w io.Writer, right []byte) error
	// Wait keeps the answer back until the channel is closed, or gives a value.
	Wait <-chan struct{}
	// Chunk sends the body in pieces of this many bytes; 0 leaves it to the server, which
	// sends each event of a stream for itself and all else at once.
	Chunk int
	// Tick, where there is one, sends one byte for each value of the channel, and the
	// rest once it is closed.
	Tick <-chan struct{}
	// End says what happens After this many bytes of the body, or in an earlier Phase.
	End   End
	After int
	Phase Phase
	// Raw is what is sent InHeader, where it need not be HTTP; "" means the beginning of a
	// right header.
	Raw string
}

// End is how an answer ends that does not end as it should.
type End int

// How answers end.
const (
	// EndWhole cuts nothing off. Before the body it means EndClosed.
	EndWhole End = iota
	// EndShort ends the answer in order, as if what was sent were all of it. Before the
	// body it means EndClosed.
	EndShort
	// EndClosed closes the connection.
	EndClosed
	// EndReset resets the connection.
	EndReset
	// EndStall sends nothing more, until the client leaves or the server is closed.
	EndStall
)

// Phase is where in an answer its [End] is.
type Phase int

// Where answers end.
const (
	// InBody is after Fault.After bytes of the body.
	InBody Phase = iota
	// InHeader is in the middle of a header line, which with Fault.Tick grows by a byte at
	// each tick.
	InHeader
	// BeforeHeader is before the first byte.
	BeforeHeader
)

// Text is a [Fault.Body] of this text, which may be empty.
func Text(s string) func(io.Writer, []byte) error {
	return func(w io.Writer, _ []byte) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// Redirect is an answer that sends the client to another address.
func Redirect(status int, location string) Fault {
	return Fault{Status: status, Header: http.Header{"Location": {location}}}
}

// RetryAfter is an answer of this status whose header Retry-After has this value.
func RetryAfter(status int, value string) Fault {
	return Fault{Status: status, Header: http.Header{"Retry-After": {value}}}
}

// What an answer of any length begins and ends with, and what is in between.
const (
	longStart = `{"id":"c-1","object":"chat.completion","model":"long","choices":[{"index":0,"message":{"role":"assistant","content":"`
	longEnd   = `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`
	longPiece = 64 << 10
)

// Endless is a right answer to a chat whose text has n bytes. They are made while they
// are sent, so n may be more than the memory holds.
func Endless(n int64) Fault {
	return Fault{
		Header: http.Header{"Content-Type": {contentJSON}},
		Body: func(w io.Writer, _ []byte) error {
			return long(w, n, longPiece, func(piece []byte) []byte { return piece })
		},
	}
}

// GzipBomb is [Endless], compressed to a thousandth: what looks small grows without
// end where it is read.
func GzipBomb(n int64) Fault {
	const piece = 1 << 20
	return Fault{
		Header: http.Header{"Content-Type": {contentJSON}, "Content-Encoding": {"gzip"}},
		Body:   func(w io.Writer, _ []byte) error { return long(w, n, piece, pack) },
	}
}

// long writes an answer whose text has n bytes, in pieces that pack makes ready. Each is
// packed once, so a gigabyte costs no more than it takes to send it.
func long(w io.Writer, n int64, size int, pack func([]byte) []byte) error {
	full := pack(bytes.Repeat([]byte{'a'}, size))
	if _, err := w.Write(pack([]byte(longStart))); err != nil {
		return err
	}
	for ; n >= int64(size); n -= int64(size) {
		if _, err := w.Write(full); err != nil {
			return err
		}
	}
	for _, last := range [][]byte{bytes.Repeat([]byte{'a'}, int(n)), []byte(longEnd)} {
		if _, err := w.Write(pack(last)); err != nil {
			return err
		}
	}
	return nil
}

// pack makes a whole gzip member. Several of them after each other are one file.
func pack(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	// A buffer takes everything, so neither has an error.
	_, err := z.Write(data)
	if err := errors.Join(err, z.Close()); err != nil {
		return nil
	}
	return b.Bytes()
}

// errorBody is an error object as OpenAI's API has it, without a code that would say more
// than the status does.
func errorBody(message string) []byte {
	return fmt.Appendf(nil, `{"error":{"message":%s,"type":"error","param":null,"code":null}}`, encode(message))
}

package lmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// inStream is how the LM is called for a stream.
func inStream() way { return way{"Stream", true} }

// streamMark is an event of a recorded stream.
type streamMark struct {
	line, end int    // where its line ends, and where the blank line after it does
	text      string // the reply up to and including it
}

// marks reads a recorded stream. done is where the line that ends it ends.
func marks(right []byte) (all []streamMark, done int, err error) {
	at, text := 0, ""
	for event := range bytes.SplitAfterSeq(right, []byte("\n\n")) {
		data := bytes.TrimSpace(bytes.TrimPrefix(event, []byte("data:")))
		line := at + len(bytes.TrimRight(event, "\n"))
		at += len(event)
		if string(data) == "[DONE]" {
			return all, line, nil
		}
		var chunk wireReply
		if err := json.Unmarshal(data, &chunk); err != nil {
			return nil, 0, fmt.Errorf("the recorded stream has the event %q: %w", event, err)
		}
		for _, c := range chunk.Choices {
			if c.Delta != nil && c.Delta.Content != nil {
				text += *c.Delta.Content
			}
		}
		all = append(all, streamMark{line, at, text})
	}
	return nil, 0, errors.New("the recorded stream does not end in [DONE]")
}

// textsAt returns the least and the most of the reply that can be known of the first k
// bytes: whether the line of an event counts without the blank line after it is up to
// the client.
func textsAt(all []streamMark, k int) (least, most string) {
	for _, m := range all {
		if m.end <= k {
			least = m.text
		}
		if m.line <= k {
			most = m.text
		}
	}
	return least, most
}

// broke checks that a stream has ended in an error that has what was known of the reply.
func (r *faultRow) broke(o outcome, least, most string) *lm.Error {
	r.t.Helper()
	e := r.failure(o, lm.ErrBackend)
	if e == nil {
		return nil
	}
	partial := ""
	if e.Partial != nil {
		partial = e.Partial.Text
	}
	if !strings.HasPrefix(partial, least) || !strings.HasPrefix(most, partial) {
		r.t.Errorf("Partial is %q, want at least %q and at most %q", partial, least, most)
	}
	if o.shown != partial {
		r.t.Errorf("the events have shown %q, and Partial is %q", o.shown, partial)
	}
	return e
}

// minStream is how long the stream must be that is cut at each byte.
const minStream = 300

// faultsStreamCut ends a stream after each of its bytes, in order and not.
func faultsStreamCut(t *testing.T, b HTTPBackend) {
	r := b.row(t)
	r.streams()
	right := r.record(inStream())
	if len(right) < minStream {
		t.Fatalf("the stream has %d bytes, too few to show much", len(right))
	}
	all, done, err := marks(right)
	if err != nil {
		t.Fatal(err)
	}
	for at := range right {
		for _, end := range []End{EndShort, EndClosed} {
			r.s.Next(Fault{End: end, After: at})
			o := r.call(inStream())
			if least, most := textsAt(all, at); o.err == nil && at >= done {
				r.answered(o) // All was there but the last line's end.
			} else {
				_ = r.broke(o, least, most)
			}
			if t.Failed() {
				t.Fatalf("that was after %d of %d bytes, end %d: %q", at, len(right), end, right[max(0, at-60):at])
			}
		}
	}
	t.Logf("%d cuts of a stream of %d bytes", 2*len(right), len(right))
	r.answered(r.call(inStream()))
}

// faultLine is longer than any line of a stream may be.
const faultLine = 33 << 20

// afterWords returns a body in which something stands behind the first words of the reply.
func afterWords(words int, write func(w io.Writer, rest []byte) error) func(io.Writer, []byte) error {
	return func(w io.Writer, right []byte) error {
		all, _, err := marks(right)
		if err != nil {
			return err
		}
		at := all[words].end // The first event has no word.
		if _, err := w.Write(right[:at]); err != nil {
			return err
		}
		return write(w, right[at:])
	}
}

// saying is afterWords for a fixed text, with what is left of the stream behind it.
func saying(words int, text string) func(io.Writer, []byte) error {
	return afterWords(words, func(w io.Writer, rest []byte) error {
		_, err := w.Write(append([]byte(text), rest...))
		return err
	})
}

// faultsStream are streams that differ from what they should be, or only seem to.
func faultsStream(t *testing.T, b HTTPBackend) {
	const one, two = "one ", "one zwölf "
	for _, tt := range []struct {
		name string
		f    Fault
	}{
		{"comments", Fault{Body: saying(1, ": keep-alive\n\n:\n\n: keep-alive\n")}},
		{"chunks of one byte", Fault{Chunk: 1}},
		{"CRLF", Fault{Body: func(w io.Writer, right []byte) error {
			_, err := w.Write(bytes.ReplaceAll(right, []byte("\n"), []byte("\r\n")))
			return err
		}}},
		{"CRLF in chunks of one byte", Fault{Chunk: 1, Body: func(w io.Writer, right []byte) error {
			_, err := w.Write(bytes.ReplaceAll(right, []byte("\n"), []byte("\r\n")))
			return err
		}}},
		{"no blank after the colon", Fault{Body: func(w io.Writer, right []byte) error {
			_, err := w.Write(bytes.ReplaceAll(right, []byte("data: "), []byte("data:")))
			return err
		}}},
		{"other fields", Fault{Body: saying(1, "id: 7\nretry: 10\nunknown\n\n")}},
		{"data of several lines", Fault{Body: func(w io.Writer, right []byte) error {
			_, err := w.Write(bytes.ReplaceAll(right, []byte(`,"choices":`), []byte(",\ndata: \"choices\":")))
			return err
		}}},
		{"more blank lines", Fault{Body: saying(1, "\n\n\n")}},
		{"words after the end", Fault{Body: func(w io.Writer, right []byte) error {
			_, err := w.Write(append(bytes.Clone(right), "data: {\"error\":{\"message\":\"late\"}}\n\n"...))
			return err
		}}},
	} {
		t.Run("right/"+tt.name, func(t *testing.T) {
			r := b.row(t)
			r.streams()
			r.s.Always(tt.f)
			r.answered(r.call(inStream()))
		})
	}
	for _, tt := range []struct {
		name        string
		f           Fault
		least, most string
		said        string
	}{
		{"error event", Fault{Body: saying(2, `data: {"error":{"message":"the engine has died","type":"server_error","code":null}}`+"\n\n")}, two, two, "the engine has died"},
		{"error event with a name", Fault{Body: saying(1, "event: error\ndata: "+`{"error":{"message":"the engine has died","type":"server_error"}}`+"\n\n")}, one, one, "the engine has died"},
		{"error event at once", Fault{Body: saying(0, `data: {"error":{"message":"the engine has died","code":500}}`+"\n\n")}, "", "", "the engine has died"},
		{"no [DONE]", Fault{Body: func(w io.Writer, right []byte) error {
			_, err := w.Write(bytes.TrimSuffix(right, []byte("data: [DONE]\n\n")))
			return err
		}}, faultReply, faultReply, ""},
		{"no events", Fault{Body: Text("")}, "", "", ""},
		{"comments alone", Fault{Body: Text(strings.Repeat(": keep-alive\n\n", 100))}, "", "", ""},
		{"[DONE] alone", Fault{Body: Text("data: [DONE]\n\n")}, "", "", ""},
		{"broken JSON", Fault{Body: saying(2, "data: {\"choices\":[{\n\n")}, two, two, ""},
		{"invalid UTF-8", Fault{Body: saying(1, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n")}, one, one, ""},
		{"a line of 33 MB", Fault{Body: longLine()}, one, one, ""},
	} {
		t.Run("wrong/"+tt.name, func(t *testing.T) {
			r := b.row(t)
			r.streams()
			r.s.Always(tt.f)
			e := r.broke(r.call(inStream()), tt.least, tt.most)
			if e != nil && !strings.Contains(e.Error(), tt.said) {
				t.Errorf("the error %v does not have the server's words %q", e, tt.said)
			}
		})
	}
	t.Run("wrong/without end", func(t *testing.T) { endlessStream(t, b) })
}

// longLine is a stream with one line that is too long.
func longLine() func(io.Writer, []byte) error {
	return afterWords(1, func(w io.Writer, rest []byte) error {
		if _, err := io.WriteString(w, `data: {"choices":[{"index":0,"delta":{"content":"`); err != nil {
			return err
		}
		piece := bytes.Repeat([]byte{'a'}, longPiece)
		for range faultLine / longPiece {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(w, "\"}}]}\n\n%s", rest)
		return err
	})
}

// endlessStream sends a gigabyte in right events, none of which is long.
func endlessStream(t *testing.T, b HTTPBackend) {
	r := b.row(t)
	r.streams()
	event := encode(wireReply{Choices: []wireChoice{{Delta: &wireMessage{Content: new(strings.Repeat("a", longPiece))}}}})
	event = fmt.Appendf(nil, "data: %s\n\n", event)
	r.s.Always(Fault{Header: http.Header{"Content-Type": {contentStream}}, Body: func(w io.Writer, right []byte) error {
		for n := 0; n < faultLarge; n += len(event) {
			if _, err := w.Write(event); err != nil {
				return err
			}
		}
		_, err := w.Write(right)
		return err
	}})
	// What the events show is kept by none but the LM: it is what is measured.
	m := r.m
	r.m = lm.Func(func(ctx context.Context, q *lm.Request) (*lm.Response, error) {
		for _, err := range lm.Stream(ctx, m, q) {
			if err != nil {
				return nil, err
			}
		}
		return &lm.Response{}, nil
	})
	r.failed(r.call(way{"Generate", false}), lm.ErrBackend)
	if sent := r.s.Sent(); sent >= faultLarge {
		t.Errorf("all of %d bytes were read", sent)
	}
}

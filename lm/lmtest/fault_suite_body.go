package lmtest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
)

// splice returns a body in which one text is replaced by another.
func splice(from, to string) func(io.Writer, []byte) error {
	return func(w io.Writer, right []byte) error {
		if !bytes.Contains(right, []byte(from)) {
			return fmt.Errorf("there is no %q in the answer", from)
		}
		_, err := w.Write(bytes.Replace(right, []byte(from), []byte(to), 1))
		return err
	}
}

// bodyDepth is deeper than anybody means it.
const bodyDepth = 10_000

// faultsBody are replies with status 200 that are none.
func faultsBody(t *testing.T, b HTTPBackend) {
	const right = `"content":"` + faultReply + `"`
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	plain := http.Header{"Content-Type": {contentJSON}}
	const page = "<!DOCTYPE html><html><body>Please log in.</body></html>"
	for _, tt := range []struct {
		name string
		f    Fault
		// lenient is for a body that may also be read as the right answer.
		lenient bool
		// stream is for one that is as wrong where a stream was asked for.
		stream bool
	}{
		{name: "empty", f: Fault{Body: Text("")}, stream: true},
		{name: "truncated", f: Fault{End: EndShort, After: 120}},
		{name: "HTML", f: Fault{Header: html, Body: Text(page)}, stream: true},
		{name: "HTML that calls itself JSON", f: Fault{Header: plain, Body: Text(page)}, stream: true},
		{name: "wrong content type", f: Fault{Header: html}},
		{name: "invalid UTF-8", f: Fault{Body: splice(right, "\"content\":\"one \xff\xfe three\"")}},
		{name: "byte order mark", f: Fault{Body: splice(`{"id"`, "\ufeff{\"id\"")}, lenient: true},
		{name: "duplicate keys", f: Fault{Body: splice(`"choices":`, `"choices":[{"index":0,"message":{"role":"assistant","content":"other",`+
			`"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"choices":`)}, lenient: true},
		{name: "deep", f: Fault{Body: splice(right, `"content":`+strings.Repeat("[", bodyDepth)+strings.Repeat("]", bodyDepth))}},
		{name: "deep and truncated", f: Fault{Header: plain, Body: Text(strings.Repeat(`{"choices":[`, bodyDepth/2))}, stream: true},
		{name: "no choices", f: Fault{Header: plain, Body: Text(`{"id":"c-1","object":"chat.completion","model":"m","usage":{"prompt_tokens":1,"completion_tokens":0,"total_tokens":1}}`)}, stream: true},
		{name: "choices are empty", f: Fault{Header: plain, Body: Text(`{"id":"c-1","object":"chat.completion","model":"m","choices":[]}`)}, stream: true},
		{name: "choices are null", f: Fault{Header: plain, Body: Text(`{"id":"c-1","choices":null}`)}, stream: true},
		{name: "content is null", f: Fault{Body: splice(right, `"content":null`)}},
		{name: "no content", f: Fault{Body: splice(","+right, "")}},
		{name: "no message", f: Fault{Header: plain, Body: Text(`{"id":"c-1","choices":[{"index":0,"finish_reason":"stop"}]}`)}, stream: true},
		{name: "content is a number", f: Fault{Body: splice(right, `"content":7`)}},
		{name: "null", f: Fault{Header: plain, Body: Text("null")}, stream: true},
		{name: "a list", f: Fault{Header: plain, Body: Text("[]")}, stream: true},
		{name: "an error", f: Fault{Header: plain, Body: Text(`{"error":{"message":"the model has died","type":"server_error","code":502}}`)}, stream: true},
		{name: "two replies", f: Fault{Body: func(w io.Writer, right []byte) error {
			_, err := w.Write(append(bytes.Clone(right), right...))
			return err
		}}, lenient: true},
		{name: "not gzip", f: Fault{Header: http.Header{"Content-Encoding": {"gzip"}}}, lenient: true, stream: true},
		{name: "gzip, cut off", f: Fault{Header: http.Header{"Content-Encoding": {"gzip"}}, Body: func(w io.Writer, right []byte) error {
			packed := pack(right)
			_, err := w.Write(packed[:len(packed)/2])
			return err
		}}, stream: true},
		{name: "too short for its length", f: Fault{Header: http.Header{"Content-Length": {"5000"}}, Body: func(w io.Writer, right []byte) error {
			_, err := w.Write(right)
			return err
		}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := b.row(t)
			r.s.Always(tt.f)
			for _, w := range r.ways() {
				if w.stream && !tt.stream {
					continue
				}
				o := r.call(w)
				if o.err == nil && tt.lenient {
					if r.answered(o); o.resp != nil && len(o.resp.ToolCalls) > 0 {
						t.Errorf("%s: the response is put together of two: %+v", w.name, o.resp)
					}
					continue
				}
				r.failed(o, lm.ErrBackend)
			}
		})
	}
}

// record returns what the server sends without a fault.
func (r *faultRow) record(w way) []byte {
	r.t.Helper()
	right := make(chan []byte, 1)
	r.s.Next(Fault{Body: func(out io.Writer, body []byte) error {
		right <- bytes.Clone(body)
		_, err := out.Write(body)
		return err
	}})
	r.answered(r.call(w))
	select {
	case body := <-right:
		return body
	default:
		r.t.Fatalf("%s made no request", w.name)
		return nil
	}
}

// faultsBodyCut ends a reply after each of its bytes, in order and not.
func faultsBodyCut(t *testing.T, b HTTPBackend) {
	r := b.row(t)
	w := way{"Generate", false}
	right := r.record(w)
	for at := range right {
		for _, end := range []End{EndShort, EndClosed} {
			r.s.Next(Fault{End: end, After: at})
			if r.failed(r.call(w), lm.ErrBackend); t.Failed() {
				t.Fatalf("that was after %d of %d bytes, end %d", at, len(right), end)
			}
		}
	}
	t.Logf("%d cuts of a reply of %d bytes", 2*len(right), len(right))
	r.answered(r.call(w))
}

// faultLarge is far more than any limit of a reply.
const faultLarge = 1 << 30

// faultsLarge are replies of a gigabyte. They must end in an error at the limit, and the
// heap must not have grown by more than twice that.
func faultsLarge(t *testing.T, b HTTPBackend) {
	broken := Endless(faultLarge)
	broken.Status = http.StatusInternalServerError
	for _, tt := range []struct {
		name   string
		f      Fault
		packed bool
	}{
		{"reply", Endless(faultLarge), false},
		{"gzip bomb", GzipBomb(faultLarge), true},
		{"error", broken, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := b.row(t)
			r.s.Always(tt.f)
			for _, w := range r.ways() {
				var o outcome
				before := r.s.Sent()
				grown := heapGrowth(func() { o = r.call(w) })
				r.failed(o, lm.ErrBackend)
				if grown >= 2*b.MaxReply {
					t.Errorf("%s: the heap has grown by %d bytes, want less than twice the limit of %d", w.name, grown, b.MaxReply)
				}
				if sent := r.s.Sent() - before; !tt.packed && sent >= faultLarge {
					t.Errorf("%s: all of %d bytes were read", w.name, sent)
				}
			}
		})
	}
}

// heapGrowth returns by how many bytes the live heap grows at most while f runs.
func heapGrowth(f func()) int64 {
	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	base := live()
	peak := base
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			peak = max(peak, live())
			select {
			case <-done:
				return
			default:
			}
		}
	})
	f()
	close(done)
	wg.Wait()
	return peak - base
}

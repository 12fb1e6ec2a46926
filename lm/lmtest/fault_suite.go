package lmtest

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

// HTTPBackend is what [Faults] needs to know about an LM that asks a server over HTTP, by
// OpenAI's API.
type HTTPBackend struct {
	// Open makes the LM for a base URL such as "http://127.0.0.1:8080/v1", and registers
	// with t what has to be closed. It returns an error for a URL that it refuses. client
	// is nil, for the backend's own, but where a test needs a proxy or a certificate.
	Open func(t *testing.T, baseURL string, client *http.Client) (lm.LM, error)
	// MaxReply is how many bytes of a reply the LM reads at most, 64 MB where it is 0. Less
	// makes the suite faster; below 4 MB the measure of the heap is no good.
	MaxReply int64
	// Secret is the key that Open uses, which no error may show. It should be a word that
	// nothing else is likely to have.
	Secret string
	// Headless is for an LM that is not told the header of an answer: the RequestID and
	// RetryAfter of its errors are not looked at.
	Headless bool
	// Without names what does not hold for the LM, each with the reason: a group of the
	// suite, such as "Large", or one test, such as "Body/wrong content type". These are
	// skipped, and a name that no test has is an error.
	Without map[string]string

	root string          // the name of the test that the suite runs in
	met  map[string]bool // of Without
}

// What the suite waits at most. Neither is ever reached where all is well.
const (
	// hang is after what time a call that should have an end is taken to have none.
	hang = 30 * time.Second
	// prompt is how soon a call ends whose context has ended. An LM is to take less than
	// 100 ms; on a machine with other work to do, and under the race detector, only
	// far more than that shows that it waits for something.
	prompt = 2 * time.Second
)

// faultReply is what the suite's servers say. A cut can be inside of a character of it.
const faultReply = "one zwölf three"

// Faults runs an LM through what can go wrong over HTTP: each status and header, broken
// bodies, streams that are cut at each byte, lost connections, redirects, contexts that
// end. Each fault must come back as an [lm.Error] of its kind, with what there was of a
// stream in its Partial, without a panic, a wait or the key. An LM that is an
// [lm.Streamer] is tested by streams as well.
//
// It measures the heap, so a test that calls it is not to be parallel.
func Faults(t *testing.T, b HTTPBackend) {
	if b.MaxReply == 0 {
		b.MaxReply = 64 << 20
	}
	b.root, b.met = t.Name(), map[string]bool{}
	for _, group := range []struct {
		name string
		run  func(*testing.T, HTTPBackend)
	}{
		{"Right", faultsRight},
		{"Status", faultsStatus},
		{"ErrorBody", faultsErrorBody},
		{"RetryAfter", faultsRetryAfter},
		{"Body", faultsBody},
		{"BodyCut", faultsBodyCut},
		{"Large", faultsLarge},
		{"Stream", faultsStream},
		{"StreamCut", faultsStreamCut},
		{"Transport", faultsTransport},
		{"Cancel", faultsCancel},
		{"Redirect", faultsRedirect},
		{"Address", faultsAddress},
		{"Secret", faultsSecret},
	} {
		t.Run(group.name, func(t *testing.T) {
			b.skip(t)
			group.run(t, b)
		})
	}
	for name := range b.Without {
		if !b.met[name] && whole() {
			t.Errorf("Without names %q, and no test of the suite has that name", name)
		}
	}
}

// whole reports whether all tests of the suite are run: no flag leaves some out.
func whole() bool {
	for name, parts := range map[string]string{"test.run": "/", "test.skip": ""} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" && strings.Contains(f.Value.String(), parts) {
			return false
		}
	}
	return true
}

// skip skips a test that the LM is excused from.
func (b HTTPBackend) skip(t *testing.T) {
	t.Helper()
	for name, reason := range b.Without {
		if t.Name() == b.root+"/"+strings.ReplaceAll(name, " ", "_") {
			b.met[name] = true
			t.Skip(reason)
		}
	}
}

// faultRow is one row of the table: a server, and the LM that asks it.
type faultRow struct {
	t *testing.T
	b HTTPBackend
	s *Server
	m lm.LM
}

func (b HTTPBackend) row(t *testing.T) *faultRow {
	t.Helper()
	b.skip(t)
	s := NewServer(func(*Asked) string { return faultReply })
	t.Cleanup(s.Close)
	return &faultRow{t, b, s, b.open(t, s.URL, nil)}
}

func (b HTTPBackend) open(t *testing.T, baseURL string, client *http.Client) lm.LM {
	t.Helper()
	b.skip(t)
	m, err := b.Open(t, baseURL, client)
	if err != nil {
		t.Fatalf("Open(%s): %v", baseURL, err)
	}
	return m
}

// outcome is what came of a call.
type outcome struct {
	way   string       // how it was made
	shown string       // what the events of a stream have shown
	resp  *lm.Response // nil without one
	err   error
}

// way is a way to call an LM.
type way struct {
	name   string
	stream bool
}

// ways are one by one how the LM can be called.
func (r *faultRow) ways() []way {
	all := []way{{"Generate", false}}
	if _, ok := r.m.(lm.Streamer); ok {
		all = append(all, way{"Stream", true})
	}
	return all
}

// streams reports whether the LM streams, and skips the test if it does not.
func (r *faultRow) streams() {
	r.t.Helper()
	if _, ok := r.m.(lm.Streamer); !ok {
		r.t.Skip("the backend is no lm.Streamer")
	}
}

func faultRequest() *lm.Request {
	return &lm.Request{Messages: []lm.Message{lm.User("Say your line.")}}
}

// call asks for a reply and watches that it comes to an end.
func (r *faultRow) call(w way) outcome {
	r.t.Helper()
	return r.callIn(r.t.Context(), hang, w, func(*lm.Event) bool { return true })
}

// callIn is call in a context that is to end within a time. each sees the events of a
// stream, and ends it by false.
func (r *faultRow) callIn(ctx context.Context, limit time.Duration, w way, each func(*lm.Event) bool) outcome {
	r.t.Helper()
	return r.end(r.start(ctx, w, each), limit, w)
}

// start makes a call in a goroutine of its own.
func (r *faultRow) start(ctx context.Context, w way, each func(*lm.Event) bool) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		o := outcome{way: w.name}
		defer func() {
			if p := recover(); p != nil {
				o.resp, o.err = nil, fmt.Errorf("panic: %v", p)
			}
			done <- o
		}()
		if !w.stream {
			o.resp, o.err = r.m.Generate(ctx, faultRequest())
			return
		}
		for event, err := range lm.Stream(ctx, r.m, faultRequest()) {
			if err != nil {
				o.err = err
				continue // An event after an error is seen below.
			}
			if o.err != nil || o.resp != nil {
				o.err = errors.New("the stream goes on after its end")
				return
			}
			o.shown += event.Text
			o.resp = event.Response
			if !each(event) {
				return
			}
		}
		if o.resp == nil && o.err == nil {
			o.err = errors.New("the stream has ended without a response and without an error")
		}
	}()
	return done
}

// end waits for the end of a call.
func (r *faultRow) end(done <-chan outcome, limit time.Duration, w way) outcome {
	r.t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case o := <-done:
		return o
	case <-timer.C:
		r.t.Fatalf("%s has not ended after %v", w.name, limit)
		return outcome{}
	}
}

// answered checks that a call has the right answer.
func (r *faultRow) answered(o outcome) {
	r.t.Helper()
	switch {
	case o.err != nil:
		r.t.Errorf("%s: %v, want the right answer", o.way, o.err)
	case o.resp == nil || o.resp.Text != faultReply:
		r.t.Errorf("%s: the response is %+v, want the text %q", o.way, o.resp, faultReply)
	case o.shown != "" && o.shown != faultReply:
		r.t.Errorf("%s: the events have shown %q, want %q", o.way, o.shown, faultReply)
	}
}

// failed checks that a call has ended in an error of one of these kinds.
func (r *faultRow) failed(o outcome, kinds ...lm.ErrorKind) {
	r.t.Helper()
	_ = r.failure(o, kinds...)
}

// failure is failed, and returns the error, or nil where there is none.
func (r *faultRow) failure(o outcome, kinds ...lm.ErrorKind) *lm.Error {
	r.t.Helper()
	if o.err == nil {
		r.t.Errorf("%s: no error, and the response %+v; want an error of kind %q", o.way, o.resp, kinds)
		return nil
	}
	var e *lm.Error
	if !errors.As(o.err, &e) {
		r.t.Errorf("%s: the error is %v, a %T; want an *lm.Error", o.way, o.err, o.err)
		return nil
	}
	if !slices.Contains(kinds, e.Kind) {
		r.t.Errorf("%s: the error %v is of kind %q, want %q", o.way, e, e.Kind, kinds)
	}
	if e.Message == "" && e.Err == nil {
		r.t.Errorf("%s: the error %v says nothing", o.way, e)
	}
	if o.resp != nil {
		r.t.Errorf("%s: a response %+v beside the error %v; what there is belongs into its Partial", o.way, o.resp, e)
	}
	r.quiet(o)
	return e
}

// quiet checks that an error does not show the key.
func (r *faultRow) quiet(o outcome) {
	r.t.Helper()
	if shown := shows(o.err, r.b.Secret); shown != "" {
		r.t.Errorf("%s: the error shows the key: %s", o.way, shown)
	}
}

// shows returns how an error, or a cause of it, shows a secret, and "" if none does.
func shows(err error, secret string) string {
	if err == nil || secret == "" {
		return ""
	}
	all := []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)}
	if data, fail := json.Marshal(err); fail == nil {
		all = append(all, string(data))
	}
	for _, s := range all {
		if strings.Contains(s, secret) {
			return s
		}
	}
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() error }:
		return shows(e.Unwrap(), secret)
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			if s := shows(cause, secret); s != "" {
				return s
			}
		}
	}
	return ""
}

// faultsRight shows that the LM answers where nothing is wrong, without which no error of
// it would mean anything.
func faultsRight(t *testing.T, b HTTPBackend) {
	r := b.row(t)
	for i, w := range r.ways() {
		r.answered(r.call(w))
		if n := r.s.Count(); n != i+1 {
			t.Errorf("%s made %d requests in place of 1", w.name, n-i)
		}
	}
}

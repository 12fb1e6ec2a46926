package lmtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// The endpoints that a [Server] has, as in Asked.Endpoint.
const (
	EndpointChat        = "chat/completions"
	EndpointCompletions = "completions"
	EndpointEmbeddings  = "embeddings"
)

// maxAsked is how many bytes of a request a server reads.
const maxAsked = 64 << 20

// Server is an HTTP server for tests of what calls language models. It speaks enough of
// OpenAI's API to be taken for a provider: chats, completions and embeddings, the first
// two also as streams. It answers from a script, counts and remembers what it was asked,
// and fails as it is told: see [Fault]. It listens on a free port of the loopback
// interface, and is safe for concurrent use.
//
// Replies have a token for each word, as those of [Scripted] do. Requests are checked no
// further than the script needs it, and no key is asked for.
type Server struct {
	// URL is the base URL for the client; it ends in "/v1".
	URL string

	answer func(*Asked) string
	http   *httptest.Server
	closed chan struct{}
	once   sync.Once

	mu      sync.Mutex
	next    []Fault
	always  Fault
	asked   []*Asked
	flying  int
	peak    int
	sent    int64
	changed chan struct{} // closed and made anew with each change of what is above
}

// Asked is a request that a [Server] has got. It is not to be changed.
type Asked struct {
	// Endpoint is the path without "/v1/", for example EndpointChat.
	Endpoint string
	// Header and Body are as they came.
	Header http.Header
	Body   []byte

	wire wireAsked
}

// Prompt returns the text of the last message, the prompt, or the first text to embed.
func (a *Asked) Prompt() string {
	raw := a.wire.Prompt
	if n := len(a.wire.Messages); n > 0 {
		raw = a.wire.Messages[n-1].Content
	}
	if len(raw) == 0 {
		raw = a.wire.Input
	}
	if all := texts(raw); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Stream reports whether a stream was asked for.
func (a *Asked) Stream() bool { return a.wire.Stream }

// NewServer starts a server whose replies answer computes; with nil each is "ok". answer
// may be called by several goroutines at once, and for a request of several replies once
// for each. The caller must close the server.
func NewServer(answer func(*Asked) string) *Server {
	s := newServer(answer)
	s.http.Start()
	s.URL = s.http.URL + "/v1"
	return s
}

// NewTLSServer is [NewServer] over TLS, with a certificate that only [Server.Client]
// trusts.
func NewTLSServer(answer func(*Asked) string) *Server {
	s := newServer(answer)
	s.http.StartTLS()
	s.URL = s.http.URL + "/v1"
	return s
}

func newServer(answer func(*Asked) string) *Server {
	if answer == nil {
		answer = func(*Asked) string { return "ok" }
	}
	s := &Server{answer: answer, closed: make(chan struct{}), changed: make(chan struct{})}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	// Faults are meant to be, so nobody needs to read of them.
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

// Close ends all requests that are on their way and the server. It may be called twice.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.closed)
		s.http.CloseClientConnections()
		s.http.Close()
	})
}

// Client returns a client that trusts the server's certificate.
func (s *Server) Client() *http.Client { return s.http.Client() }

// CloseConnections closes the connections that clients keep open to the server, as
// servers do with idle ones.
func (s *Server) CloseConnections() { s.http.CloseClientConnections() }

// Next makes the next requests meet these faults, one each, after those that are waiting
// already.
func (s *Server) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, faults...)
}

// Always makes every request meet the fault for which none of [Server.Next] is left.
func (s *Server) Always(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = f
}

// Count returns how many requests came, to one of these endpoints if some are named. One
// counts once all of it is read, and also if it is answered by a fault.
func (s *Server) Count(endpoints ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.asked {
		if len(endpoints) == 0 || slices.Contains(endpoints, a.Endpoint) {
			n++
		}
	}
	return n
}

// InFlight returns how many requests are being answered now, and how many were at most.
func (s *Server) InFlight() (now, peak int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flying, s.peak
}

// Sent returns how many bytes of bodies were sent.
func (s *Server) Sent() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// Asked returns the requests so far, in order.
func (s *Server) Asked() []*Asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Await returns once n requests have come in all, or with the context's error.
func (s *Server) Await(ctx context.Context, n int) error {
	return s.await(ctx, func() bool { return len(s.asked) >= n })
}

// AwaitSent returns once n bytes of bodies have been sent in all, or with the context's
// error.
func (s *Server) AwaitSent(ctx context.Context, n int64) error {
	return s.await(ctx, func() bool { return s.sent >= n })
}

// AwaitQuiet returns once no request is being answered, or with the context's error.
func (s *Server) AwaitQuiet(ctx context.Context) error {
	return s.await(ctx, func() bool { return s.flying == 0 })
}

// await returns once ok, which is called under the lock.
func (s *Server) await(ctx context.Context, ok func() bool) error {
	for {
		s.mu.Lock()
		done, changed := ok(), s.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change runs f under the lock and wakes those who wait.
func (s *Server) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAsked))
	if err != nil {
		return // The client has left before it had asked.
	}
	a := &Asked{Endpoint: strings.TrimPrefix(r.URL.Path, "/v1/"), Header: r.Header.Clone(), Body: body}
	broken := json.Unmarshal(body, &a.wire)
	x := &exchange{s: s, w: w, r: r}
	var n int
	s.change(func() {
		s.asked = append(s.asked, a)
		n = len(s.asked)
		s.flying++
		s.peak = max(s.peak, s.flying)
		x.f = s.always
		if len(s.next) > 0 {
			x.f, s.next = s.next[0], s.next[1:]
		}
	})
	defer s.change(func() { s.flying-- })
	x.id = fmt.Sprint("req-", n)
	x.run(a, r.Method, broken)
}

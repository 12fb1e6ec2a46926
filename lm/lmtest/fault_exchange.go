package lmtest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

// contentJSON and contentStream are the types of right answers.
const (
	contentJSON   = "application/json"
	contentStream = "text/event-stream"
)

// exchange answers one request of a Server.
type exchange struct {
	s  *Server
	w  http.ResponseWriter
	r  *http.Request
	f  Fault
	id string
	n  int // bytes of the body so far
}

// wireAnswer is an answer that is ready to be sent.
type wireAnswer struct {
	status int
	stream bool
	body   []byte
}

func (x *exchange) run(a *Asked, method string, broken error) {
	if x.f.Wait != nil {
		x.wait(x.f.Wait)
	}
	switch x.f.Phase {
	case BeforeHeader:
		x.end()
	case InHeader:
		x.header()
	default:
		x.body(x.right(a, method, broken))
	}
}

// right is the answer without a fault, but for its status.
func (x *exchange) right(a *Asked, method string, broken error) wireAnswer {
	fail := func(status int, format string, args ...any) wireAnswer {
		return wireAnswer{status: status, body: errorBody(fmt.Sprintf(format, args...))}
	}
	switch {
	case x.f.Status != 0 && x.f.Status != http.StatusOK:
		return fail(x.f.Status, "the server was told to answer %d", x.f.Status)
	case method != http.MethodPost:
		return fail(http.StatusMethodNotAllowed, "%s is not POST", method)
	case broken != nil:
		return fail(http.StatusBadRequest, "the body is no JSON object that is known here: %v", broken)
	case a.Endpoint == EndpointChat, a.Endpoint == EndpointCompletions:
		if a.wire.Stream {
			return wireAnswer{http.StatusOK, true, a.wire.streamOf(a, x.s.answer)}
		}
		return wireAnswer{http.StatusOK, false, a.wire.replyTo(a, x.s.answer)}
	case a.Endpoint == EndpointEmbeddings:
		return wireAnswer{http.StatusOK, false, a.wire.embeddings()}
	default:
		return fail(http.StatusNotFound, "there is no %s here", a.Endpoint)
	}
}

// body sends an answer whose header is whole.
func (x *exchange) body(right wireAnswer) {
	h := x.w.Header()
	h.Set("Content-Type", contentJSON)
	if right.stream {
		h.Set("Content-Type", contentStream)
	}
	h.Set("X-Request-Id", x.id)
	if x.f.Body == nil && x.f.End != EndShort && !right.stream {
		h.Set("Content-Length", strconv.Itoa(len(right.body)))
	}
	for name, values := range x.f.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	x.w.WriteHeader(right.status)
	if right.status == http.StatusNoContent || right.status == http.StatusNotModified {
		return
	}
	err := x.write(right)
	switch {
	case errors.Is(err, errCut) || err == nil:
		x.flush()
		if x.f.End > EndShort {
			x.end()
		}
	default:
		x.abort() // Nobody reads any more.
	}
}

func (x *exchange) write(right wireAnswer) error {
	if x.f.Body != nil {
		return x.f.Body(x, right.body)
	}
	if !right.stream {
		_, err := x.Write(right.body)
		return err
	}
	for event := range bytes.SplitAfterSeq(right.body, []byte("\n\n")) {
		if _, err := x.Write(event); err != nil {
			return err
		}
		x.flush()
	}
	return nil
}

// errCut says that the answer is at its end, where the fault has it.
var errCut = errors.New("the fault ends the answer here")

// Write sends a part of the body, and cuts it up and off as the fault has it.
func (x *exchange) Write(p []byte) (int, error) {
	sent := 0
	for len(p) > 0 {
		n := len(p)
		if x.f.End != EndWhole {
			if n = min(n, x.f.After-x.n); n <= 0 {
				return sent, errCut
			}
		}
		switch {
		case x.f.Tick != nil:
			n = 1
			x.wait(x.f.Tick)
		case x.f.Chunk > 0:
			n = min(n, x.f.Chunk)
		}
		m, err := x.w.Write(p[:n])
		if err == nil && (x.f.Tick != nil || x.f.Chunk > 0) {
			x.flush()
		}
		x.n += m
		sent += m
		x.s.change(func() { x.s.sent += int64(m) })
		if err != nil {
			return sent, err
		}
		p = p[n:]
	}
	return sent, nil
}

func (x *exchange) flush() {
	// That nobody reads any more is found out by the next Write.
	_ = http.NewResponseController(x.w).Flush()
}

// wait returns when the channel gives a value or is closed, and ends the exchange when
// the client leaves or the server is closed.
func (x *exchange) wait(c <-chan struct{}) {
	select {
	case <-c:
	case <-x.r.Context().Done():
		x.abort()
	case <-x.s.closed:
		x.abort()
	}
}

// abort ends the exchange and its connection: this panic is net/http's way to do so, and
// goes no further than there.
func (x *exchange) abort() { panic(http.ErrAbortHandler) }

// end ends the answer in the middle.
func (x *exchange) end() {
	switch x.f.End {
	case EndStall:
		x.wait(nil)
	case EndReset:
		if conn, err := x.hijack(); err == nil {
			reset(conn)
		}
	default:
		x.abort()
	}
}

// hijack takes the connection. What it was asked has been read.
func (x *exchange) hijack() (net.Conn, error) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	return conn, err
}

// reset closes a connection so that the other side sees it reset.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // Without it the connection is closed in order, which is a fault as well.
	}
	_ = conn.Close()
}

// headerStart ends in the middle of a header line.
const headerStart = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: "

// header sends the beginning of a header, and ends there.
func (x *exchange) header() {
	conn, err := x.hijack()
	if err != nil {
		x.abort()
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _ = io.Copy(io.Discard, conn) // It ends with the connection, whatever the reason.
	}()
	defer func() {
		if x.f.End == EndReset {
			reset(conn)
		} else {
			_ = conn.Close()
		}
		<-left
	}()
	if _, err := io.WriteString(conn, cmp.Or(x.f.Raw, headerStart)); err != nil {
		return
	}
	for x.f.Tick != nil {
		select {
		case _, ok := <-x.f.Tick:
			if !ok {
				return
			}
			if _, err := conn.Write([]byte{'a'}); err != nil {
				return
			}
		case <-left:
			return
		case <-x.s.closed:
			return
		}
	}
	if x.f.End == EndStall {
		select {
		case <-left:
		case <-x.s.closed:
		}
	}
}

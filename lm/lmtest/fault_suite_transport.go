package lmtest

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// unreachable checks the errors of an LM whose server is not there.
func (r *faultRow) unreachable() {
	r.t.Helper()
	for _, w := range r.ways() {
		r.failed(r.call(w), lm.ErrBackend, lm.ErrUnavailable)
	}
}

// closedPort returns an address on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// maxHeader is more than any header takes that means well: 1 MB.
const maxHeader = 1 << 20

// faultsTransport are connections that are not made, or do not last.
func faultsTransport(t *testing.T, b HTTPBackend) {
	for _, tt := range []struct {
		name string
		f    Fault
	}{
		{"reset before the header", Fault{Phase: BeforeHeader, End: EndReset}},
		{"reset in the header", Fault{Phase: InHeader, End: EndReset}},
		{"no HTTP", Fault{Phase: InHeader, Raw: "220 mail.invalid ESMTP\r\n"}},
		{"a header without end", Fault{Phase: InHeader, Raw: headerStart + strings.Repeat("a", 2*maxHeader)}},
		{"reset before the body", Fault{End: EndReset}},
		{"reset in the body", Fault{End: EndReset, After: 60}},
		{"closed before the header", Fault{Phase: BeforeHeader, End: EndClosed}},
		{"closed in the header", Fault{Phase: InHeader, End: EndClosed}},
		{"closed before the body", Fault{End: EndClosed}},
		{"closed in the body", Fault{End: EndClosed, After: 60}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := b.row(t)
			for _, w := range r.ways() {
				r.s.Always(tt.f)
				r.failed(r.call(w), lm.ErrBackend)
				r.s.Always(Fault{})
				r.answered(r.call(w))
			}
		})
	}
	t.Run("slow header", func(t *testing.T) { slow(t, b, Fault{Phase: InHeader}) })
	t.Run("slow body", func(t *testing.T) { slow(t, b, Fault{}) })
	t.Run("connection refused", func(t *testing.T) {
		r := &faultRow{t: t, b: b, m: b.open(t, "http://"+closedPort(t)+"/v1", nil)}
		r.unreachable()
	})
	t.Run("no such host", func(t *testing.T) {
		// No label of a name has more than 63 bytes, so this one is not looked up anywhere.
		r := &faultRow{t: t, b: b, m: b.open(t, "https://"+strings.Repeat("a", 64)+".invalid/v1", nil)}
		r.unreachable()
	})
	t.Run("no TLS on the other side", func(t *testing.T) {
		r := b.row(t)
		r.m = b.open(t, strings.Replace(r.s.URL, "http:", "https:", 1), nil)
		r.unreachable()
	})
	t.Run("unknown certificate", func(t *testing.T) {
		s := NewTLSServer(nil)
		t.Cleanup(s.Close)
		r := &faultRow{t: t, b: b, s: s, m: b.open(t, s.URL, nil)}
		r.unreachable()
		if n := s.Count(); n != 0 {
			t.Errorf("%d requests reached a server that nobody vouches for", n)
		}
	})
	t.Run("known certificate", func(t *testing.T) {
		s := NewTLSServer(func(*Asked) string { return faultReply })
		t.Cleanup(s.Close)
		r := &faultRow{t: t, b: b, s: s, m: b.open(t, s.URL, s.Client())}
		for _, w := range r.ways() {
			r.answered(r.call(w))
		}
	})
	t.Run("proxy refused", func(t *testing.T) {
		r := b.row(t)
		proxy := &url.URL{Scheme: "http", Host: closedPort(t)}
		transport := &http.Transport{Proxy: http.ProxyURL(proxy)}
		t.Cleanup(transport.CloseIdleConnections)
		r.m = b.open(t, r.s.URL, &http.Client{Transport: transport})
		r.unreachable()
		if n := r.s.Count(); n != 0 {
			t.Errorf("%d requests went around the proxy", n)
		}
	})
	t.Run("closed while idle", func(t *testing.T) { idle(t, b) })
}

// slow is an answer that comes a byte at a time and would take forever: what ends it is
// the context.
func slow(t *testing.T, b HTTPBackend, f Fault) {
	r := b.row(t)
	for _, w := range r.ways() {
		tick := make(chan struct{})
		f.Tick = tick
		r.s.Next(f)
		ctx, cancel := cancelling(t)
		done := r.start(ctx, w, func(*lm.Event) bool { return true })
		for range 10 {
			select {
			case tick <- struct{}{}:
			case o := <-done:
				t.Fatalf("%s has ended by itself: %+v, %v", w.name, o.resp, o.err)
			}
		}
		cancel()
		r.cancelled(ctx, r.end(done, prompt, w))
	}
}

// idle closes the connections that the LM keeps. The first request after that may be lost,
// as nobody knows whether the server has got it; but not the next.
func idle(t *testing.T, b HTTPBackend) {
	r := b.row(t)
	for _, w := range r.ways() {
		r.answered(r.call(w))
		r.s.CloseConnections()
		if o := r.call(w); o.err != nil {
			r.failed(o, lm.ErrBackend)
		} else {
			r.answered(o)
		}
		r.answered(r.call(w))
	}
}

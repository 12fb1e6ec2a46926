package lmtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// maxRedirects is how many requests an LM may make that is sent around in a circle.
const maxRedirects = 11

// faultsRedirect send the LM elsewhere. Nobody else may get its key, nor what is asked.
func faultsRedirect(t *testing.T, b HTTPBackend) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprintf("%d to another host", status), func(t *testing.T) {
			other := NewServer(func(*Asked) string { return faultReply })
			t.Cleanup(other.Close)
			r := b.row(t)
			r.s.Always(Redirect(status, other.URL+"/chat/completions"))
			r.refuses()
			if n := other.Count(); n != 0 {
				t.Errorf("the other host got %d requests, the first with the headers %v", n, names(other.Asked()[0].Header))
			}
		})
	}
	t.Run("from https to http", func(t *testing.T) {
		other := NewServer(func(*Asked) string { return faultReply })
		t.Cleanup(other.Close)
		s := NewTLSServer(nil)
		t.Cleanup(s.Close)
		s.Always(Redirect(http.StatusTemporaryRedirect, other.URL+"/chat/completions"))
		r := &faultRow{t: t, b: b, s: s, m: b.open(t, s.URL, s.Client())}
		r.refuses()
		if n := other.Count(); n != 0 {
			t.Errorf("%d requests were made without TLS", n)
		}
	})
	for _, to := range []string{
		"file:///etc/passwd", "ftp://127.0.0.1/v1", "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/v1",
		"", "//", "http://%zz/", "gopher://127.0.0.1:70/_x",
	} {
		t.Run(fmt.Sprintf("to %q", to), func(t *testing.T) {
			r := b.row(t)
			r.s.Always(Redirect(http.StatusTemporaryRedirect, to))
			r.refuses()
		})
	}
	t.Run("in a circle", func(t *testing.T) {
		r := b.row(t)
		r.s.Always(Redirect(http.StatusPermanentRedirect, r.s.URL+"/chat/completions"))
		r.refuses()
		if n := r.s.Count(); n > maxRedirects*len(r.ways()) {
			t.Errorf("%d requests were made in a circle", n)
		}
	})
}

// refuses checks that the LM ends in an error, of a server that is at fault or of an
// address that is.
func (r *faultRow) refuses() {
	r.t.Helper()
	for _, w := range r.ways() {
		r.failed(r.call(w), lm.ErrBackend, lm.ErrInvalidRequest, lm.ErrUnavailable)
	}
}

func names(h http.Header) []string {
	var all []string
	for name := range h {
		all = append(all, name)
	}
	return all
}

// faultsAddress are base URLs that no LM over HTTP can mean. Either Open refuses them, or
// each call does.
func faultsAddress(t *testing.T, b HTTPBackend) {
	for _, address := range []string{"file:///etc/passwd", "ftp://127.0.0.1/v1", "gopher://127.0.0.1/v1", "http://", "http://%zz/v1", "http:///v1", "javascript:alert(1)"} {
		t.Run(address, func(t *testing.T) {
			b.skip(t)
			m, err := b.Open(t, address, nil)
			r := &faultRow{t: t, b: b, m: m}
			if err != nil {
				r.failed(outcome{way: "Open", err: err}, lm.ErrInvalidRequest)
				return
			}
			for _, w := range r.ways() {
				r.failed(r.call(w), lm.ErrInvalidRequest)
			}
		})
	}
}

// faultsSecret are servers that give the key away that they were shown.
func faultsSecret(t *testing.T, b HTTPBackend) {
	if b.Secret == "" {
		t.Skip("there is no Secret to look for")
	}
	r := b.row(t)
	r.answered(r.call(way{"Generate", false}))
	if got := r.s.Asked()[0].Header; !strings.Contains(fmt.Sprint(got), b.Secret) {
		t.Fatalf("the server does not get the Secret, but the headers %v, so that it could not leak", names(got))
	}
	bearer := "Bearer " + b.Secret
	echo := http.Header{
		"X-Request-Id": {b.Secret}, "Location": {"http://user:" + b.Secret + "@127.0.0.1/?key=" + b.Secret},
		"Retry-After": {b.Secret}, "Www-Authenticate": {bearer},
	}
	object := fmt.Sprintf(`{"error":{"message":"Incorrect API key provided: %s (%s)","type":%q,"param":%q,"code":%q}}`, b.Secret, bearer, b.Secret, b.Secret, b.Secret)
	event := "data: " + object + "\n\n"
	for _, tt := range []struct {
		name string
		f    Fault
	}{
		{"401", Fault{Status: 401, Header: echo, Body: Text(object)}},
		{"429", Fault{Status: 429, Header: echo, Body: Text(object)}},
		{"500 in HTML", Fault{Status: 500, Header: echo, Body: Text("<html>" + bearer + "</html>")}},
		// A message that is cut, and then searched for the key, shows a part of it.
		{"in a long message", Fault{Status: 500, Body: Text(strings.Repeat("x", 900) + strings.Repeat(bearer+" ", 500))}},
		{"redirect", Fault{Status: 307, Header: echo, Body: Text(object)}},
		{"200 in HTML", Fault{Header: http.Header{"Content-Type": {"text/html"}, "X-Request-Id": {b.Secret}}, Body: Text(bearer)}},
		{"200 and an error", Fault{Header: http.Header{"Content-Type": {contentJSON}}, Body: Text(object)}},
		{"broken JSON", Fault{Header: http.Header{"Content-Type": {contentJSON}}, Body: Text(`{"choices": ` + b.Secret)}},
		{"content type", Fault{Header: http.Header{"Content-Type": {"text/" + b.Secret}}}},
		{"error event", Fault{Header: http.Header{"Content-Type": {contentStream}}, Body: Text(event)}},
		{"broken event", Fault{Header: http.Header{"Content-Type": {contentStream}}, Body: Text("data: " + b.Secret + "\n\n")}},
		{"broken header", Fault{Header: http.Header{"Content-Encoding": {b.Secret}}}},
		{"no HTTP", Fault{Phase: InHeader, Raw: bearer + "\r\n\r\n"}},
		{"a status that is none", Fault{Phase: InHeader, Raw: "HTTP/1.1 " + b.Secret + "\r\n\r\n"}},
		{"a header that is none", Fault{Phase: InHeader, Raw: "HTTP/1.1 200 OK\r\n" + b.Secret + "\r\n\r\n"}},
		{"closed", Fault{Phase: BeforeHeader}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := b.row(t)
			r.s.Always(tt.f)
			for _, w := range r.ways() {
				o := r.call(w)
				if o.err == nil && tt.name != "broken header" {
					t.Errorf("%s: no error, but the response %+v", w.name, o.resp)
				} else {
					r.quiet(o)
				}
				if shown := shows(o.err, b.Secret[:len(b.Secret)*3/4]); shown != "" {
					t.Errorf("%s: the error shows most of the key: %s", w.name, shown)
				}
			}
		})
	}
}

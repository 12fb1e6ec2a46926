package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// exchange is a request for a reply, and what came.
type exchange struct {
	request struct {
		Messages []struct {
			Role    string
			Content string
		}
		Temperature    *float64
		ResponseFormat any `json:"response_format"`
	}
	reply struct {
		Choices []struct {
			Message struct{ Content string }
		}
	}
}

// text is the text of the reply.
func (e exchange) text() string {
	if len(e.reply.Choices) == 0 {
		return ""
	}
	return e.reply.Choices[0].Message.Content
}

// recorder stands before a server and keeps what passes.
type recorder struct {
	*httptest.Server
	t    *testing.T
	mu   sync.Mutex
	kept []exchange
}

func record(t *testing.T, server string) *recorder {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{t: t}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Header.Del("Accept-Encoding") // the reply is to be read here, too
		},
	}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !strings.HasSuffix(req.URL.Path, "/chat/completions") {
			proxy.ServeHTTP(w, req)
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Errorf("a request cannot be read: %v", err)
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		reply := httptest.NewRecorder()
		proxy.ServeHTTP(reply, req)
		r.keep(body, reply.Body.Bytes())
		for name, values := range reply.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(reply.Code)
		_, _ = w.Write(reply.Body.Bytes())
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) keep(request, reply []byte) {
	var e exchange
	if err := json.Unmarshal(request, &e.request); err != nil {
		r.t.Errorf("the request %s: %v", request, err)
	}
	if err := json.Unmarshal(reply, &e.reply); err != nil {
		r.t.Errorf("the reply %s: %v", reply, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, e)
}

// begin forgets what was kept, and has the server compute something else: what follows then
// finds the same in its memory each time.
func (r *recorder) begin() {
	r.t.Helper()
	resp, err := http.Post(r.URL+"/completion", "application/json", strings.NewReader(`{"prompt": "One, two,", "n_predict": 1}`))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		r.t.Fatalf("the server answers %s, %v", resp.Status, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = nil
}

// exchanges returns what was kept since begin.
func (r *recorder) exchanges() []exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept
}

package openai

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestConnectionsAreUsedAgain also behind a stream, whose end is behind its last event.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	hold := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", streamType)
		_, _ = io.WriteString(w, streamed(`{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}`))
		w.(http.Flusher).Flush()
		if r.URL.Path == "/hold/chat/completions" {
			select { // a server that does not end its reply
			case <-hold:
			case <-r.Context().Done():
			}
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	defer close(hold)
	for _, path := range []string{"/v1", "/hold"} {
		m, err := New("ollama/m", BaseURL(server.URL+path), Getenv(noEnvironment))
		if err != nil {
			t.Fatal(err)
		}
		opened.Store(0)
		for range 3 {
			if text, _, _, err := follow(t, m, asks("a")); text != "a" || err != nil {
				t.Errorf("%s: the stream was %q, %v", path, text, err)
			}
		}
		if n := opened.Load(); path == "/v1" && n != 1 {
			t.Errorf("3 streams took %d connections, want 1", n)
		}
		m.Close()
	}
}

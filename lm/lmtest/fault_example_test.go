package lmtest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

// say asks a server and prints what it answers.
func say(s *lmtest.Server, text string) {
	body := fmt.Sprintf(`{"model":"m","prompt":%q}`, text)
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.URL+"/completions", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		fmt.Println(resp.StatusCode, err)
		return
	}
	fmt.Println(strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Retry-After"))))
}

func ExampleNewServer() {
	server := lmtest.NewServer(func(a *lmtest.Asked) string { return "You said: " + a.Prompt() })
	defer server.Close()
	say(server, "hello")
	fmt.Println(server.Count(), "request to", server.Asked()[0].Endpoint, "that says", server.Asked()[0].Prompt())
	// Output:
	// 200
	// 1 request to completions that says hello
}

func ExampleServer_Next() {
	server := lmtest.NewServer(nil)
	defer server.Close()
	server.Next(
		lmtest.RetryAfter(http.StatusTooManyRequests, "7"),
		lmtest.Fault{End: lmtest.EndClosed, After: 10},
	)
	for range 3 {
		say(server, "hello")
	}
	// Output:
	// 429 7
	// 200 unexpected EOF
	// 200
}

func ExampleServer_Always() {
	server := lmtest.NewServer(nil)
	defer server.Close()
	server.Always(lmtest.Redirect(http.StatusFound, "file:///etc/passwd"))
	say(server, "hello")
	server.Always(lmtest.Fault{})
	say(server, "hello")
	// Output:
	// Post "file:///etc/passwd": unsupported protocol scheme "file"
	// 200
}

func ExampleFaults() {
	// A test of a backend, here one that is called newModel.
	var newModel func(baseURL, key string, maxReply int64, client *http.Client) (lm.LM, error)
	_ = func(t *testing.T) {
		const key, limit = "sk-canary-1234", 8 << 20
		lmtest.Faults(t, lmtest.HTTPBackend{
			MaxReply: limit,
			Secret:   key,
			Open: func(_ *testing.T, baseURL string, client *http.Client) (lm.LM, error) {
				return newModel(baseURL, key, limit, client)
			},
		})
	}
}

package langchain

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms/openai"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

// canary is a key that nobody has, and that nothing else looks like.
const canary = "sk-canary-5d0e8b21f7a4"

// asking is langchaingo's client for OpenAI, at a server of the tests.
func asking(t *testing.T, baseURL string, client *http.Client) (lm.LM, error) {
	t.Helper()
	c := http.Client{}
	if client != nil {
		c = *client
	}
	if c.Transport == nil {
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		c.Transport = transport
	}
	theirs, err := openai.New(openai.WithToken(canary), openai.WithModel("gpt-test"), openai.WithBaseURL(baseURL), openai.WithHTTPClient(&c))
	if err != nil {
		return nil, err
	}
	return New(theirs), nil
}

// stays is a client that follows no redirect, as doc.go advises.
func stays(client *http.Client) *http.Client {
	c := http.Client{}
	if client != nil {
		c = *client
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// without is what langchaingo's client for OpenAI does not survive. TestLostFaults shows
// what it does instead, and doc.go tells it.
func without() map[string]string {
	const kind = "the client hides what is wrong with an address, so the kind is lm.ErrBackend"
	const fields = "the client takes what is missing of a reply for an empty text"
	const events = "the client skips an event that it cannot read"
	all := map[string]string{
		"Large":                                "the client has no limit for a reply",
		"Stream/wrong/without end":             "the client has no limit for a reply",
		"StreamCut":                            "the client tells a stream's end by its reason to stop alone; see TestStreamCut",
		"ErrorBody/quota":                      "the provider's code is not told",
		"Body/wrong content type":              "the client does not look at the content type",
		"Secret/content type":                  "the client does not look at the content type",
		"Body/invalid UTF-8":                   "the client replaces what is not UTF-8",
		"Stream/wrong/invalid UTF-8":           "the client replaces what is not UTF-8",
		"Body/content is null":                 fields,
		"Body/no content":                      fields,
		"Body/no message":                      fields,
		"Body/too short for its length":        "the client reads no further than the reply",
		"Stream/wrong/no [DONE]":               "the client tells a stream's end by its reason to stop alone",
		"Stream/right/data of several lines":   events,
		"Stream/wrong/broken JSON":             events,
		"Stream/wrong/error event":             events,
		"Stream/wrong/error event with a name": events,
		"Stream/wrong/error event at once":     events,
	}
	for _, address := range []string{"file:///etc/passwd", "ftp://127.0.0.1/v1", "gopher://127.0.0.1/v1", "http://", "http://%zz/v1", "http:///v1", "javascript:alert(1)"} {
		all["Address/"+address] = kind
	}
	return all
}

// The suite measures the heap, so this test is not parallel.
func TestFaults(t *testing.T) {
	lmtest.Faults(t, lmtest.HTTPBackend{
		Secret: canary, Headless: true, Without: without(),
		Open: func(t *testing.T, baseURL string, client *http.Client) (lm.LM, error) {
			return asking(t, baseURL, stays(client))
		},
	})
}

// replaced sends a body in which one text stands for another.
func replaced(from, to string) lmtest.Fault {
	return lmtest.Fault{Body: func(w io.Writer, right []byte) error {
		_, err := w.Write(bytes.Replace(right, []byte(from), []byte(to), 1))
		return err
	}}
}

// TestLostFaults shows what becomes of the faults that TestFaults leaves out: should a
// version of the client do better, doc.go need not say so any more.
func TestLostFaults(t *testing.T) {
	t.Parallel()
	const said, none = "one two three", "-"
	const long = 16 << 20
	for _, tt := range []struct {
		name   string
		f      lmtest.Fault
		stream bool
		text   string       // of the reply, or none
		kind   lm.ErrorKind // of the error
	}{
		{"no limit", lmtest.Endless(long), false, strings.Repeat("a", long), ""},
		{"quota", lmtest.Fault{Status: 429, Body: lmtest.Text(`{"error":{"message":"nothing is left","code":"insufficient_quota"}}`)}, false, none, lm.ErrRateLimit},
		{"content type", lmtest.Fault{Header: http.Header{"Content-Type": {"text/html"}}}, false, said, ""},
		{"content type of a stream", lmtest.Fault{Header: http.Header{"Content-Type": {"text/html"}}}, true, said, ""},
		{"UTF-8", replaced("one two", "one\xff two"), false, "one\ufffd two three", ""},
		{"UTF-8 in a stream", replaced(`"two `, "\"\xfftwo "), true, "one \ufffdtwo three", ""},
		{"null", replaced(`"one two three"`, "null"), false, "", ""},
		{"no message", lmtest.Fault{Body: lmtest.Text(`{"choices":[{"index":0,"finish_reason":"stop"}]}`)}, false, "", ""},
		{"length", lmtest.Fault{Header: http.Header{"Content-Length": {"5000"}}, Body: func(w io.Writer, right []byte) error {
			_, err := w.Write(right)
			return err
		}}, false, said, ""},
		{"no [DONE]", replaced("data: [DONE]\n\n", ""), true, said, ""},
		{"data of several lines", replaced(`,"choices":[{"index":0,"delta":{"content":"two `, ",\ndata: \"choices\":[{\"index\":0,\"delta\":{\"content\":\"two "), true, "one three", ""},
		{"broken JSON", replaced(`{"content":"two `, `{"content":two `), true, "one three", ""},
		{"error event", replaced("data: [DONE]", `data: {"error":{"message":"the engine has died"}}`), true, said, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := lmtest.NewServer(func(*lmtest.Asked) string { return said })
			t.Cleanup(s.Close)
			s.Always(tt.f)
			m, err := asking(t, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			var resp *lm.Response
			if tt.stream {
				_, resp, err = collect(t.Context(), m, ask("x"))
			} else {
				resp, err = m.Generate(t.Context(), ask("x"))
			}
			switch {
			case tt.text == none && !errors.Is(err, tt.kind):
				t.Errorf("the error is %v, want the kind %q", err, tt.kind)
			case tt.text != none && (err != nil || resp == nil || resp.Text != tt.text):
				t.Errorf("the reply is %.200v, %v; want the text %.40q", resp, err, tt.text)
			}
		})
	}
}

// TestLostRedirect has the client carry the key to another host, as http.Client does
// between ports of one name, unless it is given a client that stays.
func TestLostRedirect(t *testing.T) {
	t.Parallel()
	other := lmtest.NewServer(nil)
	t.Cleanup(other.Close)
	s := lmtest.NewServer(nil)
	t.Cleanup(s.Close)
	s.Always(lmtest.Redirect(http.StatusTemporaryRedirect, other.URL+"/chat/completions"))
	for _, follows := range []bool{false, true} {
		client := &http.Client{}
		if !follows {
			client = stays(nil)
		}
		m, err := asking(t, s.URL, client)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Generate(t.Context(), ask("x")); (err == nil) != follows || (other.Count() > 0) != follows {
			t.Errorf("with a client that follows, %v: %v after %d requests to the other host", follows, err, other.Count())
		}
	}
	if got := other.Asked()[0].Header.Get("Authorization"); got != "Bearer "+canary {
		t.Errorf("the other host got %q", got)
	}
}

// TestLostAddress has an error of another kind, and no request, for what is no address.
func TestLostAddress(t *testing.T) {
	t.Parallel()
	for name := range without() {
		address, ok := strings.CutPrefix(name, "Address/")
		if !ok {
			continue
		}
		m, err := asking(t, address, nil)
		if err == nil {
			_, err = m.Generate(t.Context(), ask("x"))
		}
		if !errors.Is(err, lm.ErrBackend) {
			t.Errorf("%s: %v, want the kind %q", address, err, lm.ErrBackend)
		}
	}
}

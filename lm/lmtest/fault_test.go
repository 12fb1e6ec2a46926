package lmtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm/lmtest"
)

// serve starts a server that says what it is asked, and a client for it.
func serve(t *testing.T) (*lmtest.Server, *http.Client) {
	t.Helper()
	s := lmtest.NewServer((*lmtest.Asked).Prompt)
	t.Cleanup(s.Close)
	c := &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(c.CloseIdleConnections)
	return s, c
}

// post asks, and returns the response with its body. err is that of reading it, where
// there is a response.
func post(ctx context.Context, c *http.Client, url, body string) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp, string(data), err
}

const (
	askChat   = `{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"one two three"}]}`
	askStream = `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"one two"}]}`
)

func TestServerAnswers(t *testing.T) {
	t.Parallel()
	const head = `"created":1700000000,"model":"m","system_fingerprint":"fp-1","choices":[`
	chunk := `data: {"id":"c-1","object":"chat.completion.chunk",` + head
	for _, tt := range []struct {
		name, path, body string
		status           int
		want             string
	}{
		{
			"chat", lmtest.EndpointChat, askChat, 200,
			`{"id":"c-1","object":"chat.completion",` + head + `{"index":0,"message":{"role":"assistant","content":"one two three"},"finish_reason":"stop"}],` +
				`"usage":{"prompt_tokens":6,"completion_tokens":3,"total_tokens":9}}`,
		},
		{
			"stream", lmtest.EndpointChat, askStream, 200,
			chunk + `{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n" +
				chunk + `{"index":0,"delta":{"content":"one "},"finish_reason":null}]}` + "\n\n" +
				chunk + `{"index":0,"delta":{"content":"two"},"finish_reason":null}]}` + "\n\n" +
				chunk + `{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" +
				chunk + `],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}` + "\n\n" +
				"data: [DONE]\n\n",
		},
		{
			"parts and a limit", lmtest.EndpointChat, `{"model":"m","max_completion_tokens":2,"n":2,"messages":[{"content":[{"type":"text","text":"a b "},{"type":"text","text":"c d"}]}]}`, 200,
			`{"id":"c-1","object":"chat.completion",` + head + `{"index":0,"message":{"role":"assistant","content":"a b"},"finish_reason":"length"},` +
				`{"index":1,"message":{"role":"assistant","content":"a b"},"finish_reason":"length"}],"usage":{"prompt_tokens":4,"completion_tokens":4,"total_tokens":8}}`,
		},
		{
			"completion", lmtest.EndpointCompletions, `{"model":"m","prompt":"a b. c","stop":["."]}`, 200,
			`{"id":"c-1","object":"text_completion",` + head + `{"index":0,"text":"a b","finish_reason":"stop"}],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}`,
		},
		{
			"completion as a stream", lmtest.EndpointCompletions, `{"model":"m","prompt":"a","stream":true}`, 200,
			`data: {"id":"c-1","object":"text_completion",` + head + `{"index":0,"text":"a","finish_reason":null}]}` + "\n\n" +
				`data: {"id":"c-1","object":"text_completion",` + head + `{"index":0,"text":"","finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n",
		},
		{"nothing there", "models", `{}`, 404, `{"error":{"message":"there is no models here","type":"error","param":null,"code":null}}`},
		{
			"no JSON", lmtest.EndpointChat, "{", 400,
			`{"error":{"message":"the body is no JSON object that is known here: unexpected end of JSON input","type":"error","param":null,"code":null}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, c := serve(t)
			resp, got, err := post(t.Context(), c, s.URL+"/"+tt.path, tt.body)
			if err != nil || resp.StatusCode != tt.status {
				t.Fatalf("%v, %v; want status %d", resp, err, tt.status)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("the answer differs (-want +got):\n%s", diff)
			}
			if id := resp.Header.Get("X-Request-Id"); id != "req-1" {
				t.Errorf("the request has the number %q", id)
			}
		})
	}
}

func TestServerEmbeds(t *testing.T) {
	t.Parallel()
	s, c := serve(t)
	type answer struct {
		Data []struct {
			Index     int
			Embedding []float64
		}
		Usage struct {
			PromptTokens int `json:"prompt_tokens"`
		}
	}
	ask := func(input string) (a answer) {
		t.Helper()
		_, got, err := post(t.Context(), c, s.URL+"/"+lmtest.EndpointEmbeddings, `{"model":"m","input":`+input+`}`)
		if err = errors.Join(err, json.Unmarshal([]byte(got), &a)); err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		return a
	}
	two, one := ask(`["a b", "c"]`), ask(`"c"`)
	if len(two.Data) != 2 || len(one.Data) != 1 || two.Data[1].Index != 1 || two.Usage.PromptTokens != 3 {
		t.Fatalf("got %+v and %+v", two, one)
	}
	if cmp.Diff(two.Data[1].Embedding, one.Data[0].Embedding) != "" || cmp.Diff(two.Data[0].Embedding, one.Data[0].Embedding) == "" {
		t.Errorf("a vector is not that of its text alone: %v and %v", two, one)
	}
	sum := 0.0
	for _, v := range one.Data[0].Embedding {
		sum += v * v
	}
	if sum < 0.9999 || sum > 1.0001 {
		t.Errorf("the vector's length is the root of %v", sum)
	}
	_, packed, err := post(t.Context(), c, s.URL+"/"+lmtest.EndpointEmbeddings, `{"input":"c","encoding_format":"base64"}`)
	if err != nil || !strings.Contains(packed, `"embedding":"`) {
		t.Errorf("in base64: %s, %v", packed, err)
	}
}

func TestServerCountsAndRemembers(t *testing.T) {
	t.Parallel()
	s, c := serve(t)
	const n = 8
	release := make(chan struct{})
	s.Always(lmtest.Fault{Wait: release})
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if _, got, err := post(t.Context(), c, s.URL+"/chat/completions", askChat); err != nil || !strings.Contains(got, "one two three") {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
	if err := s.Await(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if now, peak := s.InFlight(); now != n || peak != n {
		t.Errorf("%d in flight, %d at most; want %d", now, peak, n)
	}
	close(release)
	wg.Wait()
	if err := s.AwaitQuiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := post(t.Context(), c, s.URL+"/completions", `{"prompt":"x","stream":true}`); err != nil {
		t.Fatal(err)
	}
	if err := s.AwaitQuiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now, peak := s.InFlight(); now != 0 || peak != n {
		t.Errorf("at the end %d in flight, %d at most; want 0 and %d", now, peak, n)
	}
	if all, chats, rest := s.Count(), s.Count(lmtest.EndpointChat), s.Count(lmtest.EndpointCompletions, lmtest.EndpointEmbeddings); all != n+1 || chats != n || rest != 1 {
		t.Errorf("%d requests, %d chats and %d others; want %d, %d and 1", all, chats, rest, n+1, n)
	}
	asked := s.Asked()
	if first := asked[0]; string(first.Body) != askChat || first.Prompt() != "one two three" || first.Stream() || first.Header.Get("User-Agent") == "" {
		t.Errorf("the first request was %+v: %s", first, first.Body)
	}
	if last := asked[n]; last.Prompt() != "x" || !last.Stream() || last.Endpoint != lmtest.EndpointCompletions {
		t.Errorf("the last request was %+v: %s", last, last.Body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Await(ctx, n+2); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for what does not come: %v", err)
	}
}

func TestServerFaults(t *testing.T) {
	t.Parallel()
	open := make(chan struct{})
	close(open)
	const all = `{"id":"c-1","object":"chat.completion"`
	for _, tt := range []struct {
		name   string
		f      lmtest.Fault
		status int
		body   string // what it begins with, or is where it ends
		err    error  // of the call or of the body
	}{
		{"none", lmtest.Fault{}, 200, all, nil},
		{"status", lmtest.Fault{Status: 529}, 529, `{"error":{"message":"the server was told to answer 529","type":"error","param":null,"code":null}}`, nil},
		{"no body allowed", lmtest.Fault{Status: 204}, 204, "", nil},
		{"empty", lmtest.Fault{Body: lmtest.Text("")}, 200, "", nil},
		{"short", lmtest.Fault{End: lmtest.EndShort, After: 5}, 200, `{"id"`, nil},
		{"short at once", lmtest.Fault{End: lmtest.EndShort}, 200, "", nil},
		{"closed in the body", lmtest.Fault{End: lmtest.EndClosed, After: 5}, 200, `{"id"`, io.ErrUnexpectedEOF},
		{"closed before the body", lmtest.Fault{End: lmtest.EndClosed}, 200, "", io.ErrUnexpectedEOF},
		{"closed in the header", lmtest.Fault{End: lmtest.EndClosed, Phase: lmtest.InHeader}, 0, "", io.ErrUnexpectedEOF},
		{"closed before the header", lmtest.Fault{Phase: lmtest.BeforeHeader}, 0, "", io.EOF},
		{"reset in the body", lmtest.Fault{End: lmtest.EndReset}, 200, "", syscall.ECONNRESET},
		{"reset before the header", lmtest.Fault{End: lmtest.EndReset, Phase: lmtest.BeforeHeader}, 0, "", syscall.ECONNRESET},
		{"chunks", lmtest.Fault{Chunk: 1}, 200, all, nil},
		{"ticks", lmtest.Fault{Tick: open}, 200, all, nil},
		{"wait", lmtest.Fault{Wait: open}, 200, all, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, c := serve(t)
			s.Next(tt.f)
			resp, got, err := post(t.Context(), c, s.URL+"/chat/completions", askChat)
			if !errors.Is(err, tt.err) || (err != nil) != (tt.err != nil) {
				t.Errorf("the error is %v, want %v", err, tt.err)
			}
			// A reset may also take away what was there before it.
			if tt.err != syscall.ECONNRESET && (resp != nil) != (tt.status != 0) || resp != nil && resp.StatusCode != tt.status { //nolint:errorlint // it is the table's
				t.Errorf("the response is %+v, want the status %d", resp, tt.status)
			}
			if tt.body == all && !strings.HasPrefix(got, all) || tt.body != all && got != tt.body {
				t.Errorf("the body is %q, want %q", got, tt.body)
			}
			if _, again, err := post(t.Context(), c, s.URL+"/chat/completions", askChat); err != nil || !strings.HasPrefix(again, all) {
				t.Errorf("after the fault: %q, %v", again, err)
			}
		})
	}
}

func TestServerTakesFaultsInOrder(t *testing.T) {
	t.Parallel()
	s, c := serve(t)
	s.Always(lmtest.RetryAfter(503, "3"))
	s.Next(lmtest.Fault{Status: 500}, lmtest.Fault{Status: 501})
	s.Next(lmtest.Redirect(307, "file:///etc/passwd"))
	var got []string
	for range 5 {
		resp, _, err := post(t.Context(), c, s.URL+"/chat/completions", askChat)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Retry-After"), resp.Header.Get("Location")))
	}
	if diff := cmp.Diff([]string{"500 ", "501 ", "307 file:///etc/passwd", "503 3", "503 3"}, got); diff != "" {
		t.Errorf("the faults differ (-want +got):\n%s", diff)
	}
}

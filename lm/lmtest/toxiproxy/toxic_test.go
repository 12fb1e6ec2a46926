package toxiproxy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/lm/openai"
	"github.com/whetgo/whet/lm/retry"
)

// TestMain looks for goroutines that are left, but for the proxy's own: it forgets to
// read on from a server whose answer a toxic has thrown away.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
	)
}

// said is what the server says: longer than what limit_data lets through.
var said = strings.Repeat("one two three ", 150)

// hang is after what time a call that should have an end is taken to have none.
const hang = 10 * time.Second

// behind starts a server, a proxy in front of it with a toxic, and a model of the proxy.
func behind(t *testing.T, toxic string) (*lmtest.Server, *toxiproxy.Proxy, lm.LM) {
	t.Helper()
	s := lmtest.NewServer(func(*lmtest.Asked) string { return said })
	t.Cleanup(s.Close)
	upstream := strings.TrimSuffix(strings.TrimPrefix(s.URL, "http://"), "/v1")
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(api, t.Name(), "127.0.0.1:0", upstream)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatal(err)
	}
	m, err := openai.New("gpt-test", openai.BaseURL("http://"+proxy.Listen+"/v1"), openai.Getenv(func(string) string { return "" }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return s, proxy, m
}

// call asks for a reply, as a whole or as a stream.
func call(t *testing.T, m lm.LM, stream bool) (text string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	r := &lm.Request{Messages: []lm.Message{lm.User("Say your line.")}}
	if stream {
		for event, fail := range lm.Stream(ctx, m, r) {
			if err = fail; err == nil {
				text += event.Text
			}
		}
	} else if resp, fail := m.Generate(ctx, r); fail == nil {
		text = resp.Text
	} else {
		err = fail
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		t.Fatalf("the call has not ended after %v: %v", hang, err)
	}
	return text, err
}

// TestToxics is slow by nature: the proxy waits in real time, about two seconds in all.
func TestToxics(t *testing.T) {
	for _, tt := range []struct {
		name, attributes string
		right            bool
		least            time.Duration // how long right replies take, of both ways
	}{
		{"reset_peer", `{"timeout":20}`, false, 0},
		{"limit_data", `{"bytes":700}`, false, 0},
		{"timeout", `{"timeout":100}`, false, 0},
		{"latency", `{"latency":100}`, true, 200 * time.Millisecond},
		{"bandwidth", `{"rate":64}`, true, 500 * time.Millisecond},
		{"slicer", `{"average_size":64,"size_variation":32,"delay":100}`, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, proxy, m := behind(t, fmt.Sprintf(`{"name":"toxic","type":%q,"stream":"downstream","attributes":%s}`, tt.name, tt.attributes))
			start := time.Now()
			for _, stream := range []bool{false, true} {
				text, err := call(t, m, stream)
				if tt.right {
					if err != nil || text != said {
						t.Errorf("stream %v: %d bytes, %v; want the right reply", stream, len(text), err)
					}
					continue
				}
				var e *lm.Error
				if !errors.As(err, &e) || e.Kind != lm.ErrBackend || !lm.IsRetryable(err) {
					t.Errorf("stream %v: the error is %v, want one of kind %q", stream, err, lm.ErrBackend)
					continue
				}
				partial := ""
				if e.Partial != nil {
					partial = e.Partial.Text
				}
				if partial != text || !strings.HasPrefix(said, text) || text == said {
					t.Errorf("stream %v: %q was shown, and Partial is %q", stream, text, partial)
				}
			}
			if took := time.Since(start); took < tt.least {
				t.Errorf("the calls took %v, less than the %v for which the proxy holds them up", took, tt.least)
			}
			again(t, tt.right, s, proxy, m)
		})
	}
}

// again has lm/retry try three times, and then once the toxic is gone while it waits.
func again(t *testing.T, right bool, s *lmtest.Server, proxy *toxiproxy.Proxy, m lm.LM) {
	t.Helper()
	before := s.Count()
	text, err := call(t, retry.With(retry.Base(time.Millisecond))(m), false)
	if right {
		if err != nil || text != said || s.Count() != before+1 {
			t.Errorf("with retries: %d bytes, %v, after %d requests; want the right reply after 1", len(text), err, s.Count()-before)
		}
		return
	}
	var gaveUp *retry.Error
	if !errors.As(err, &gaveUp) || gaveUp.Attempts != 3 || !errors.Is(err, lm.ErrBackend) {
		t.Errorf("with retries: %v, want an error of kind %q after 3 attempts", err, lm.ErrBackend)
	}
	removed := error(nil)
	heals := retry.Notify(func(a retry.Attempt) {
		if a.Number == 1 {
			removed = proxy.Toxics.RemoveToxic(t.Context(), "toxic")
		}
	})
	text, err = call(t, retry.With(retry.Base(time.Millisecond), heals)(m), false)
	if err != nil || removed != nil || text != said {
		t.Errorf("once the toxic is gone: %d bytes, %v; removing it: %v", len(text), err, removed)
	}
}

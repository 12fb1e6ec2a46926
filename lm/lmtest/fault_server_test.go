package lmtest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/whetgo/whet/lm/lmtest"
)

// What is large is right, so that a client that reads all of it is not saved by a fault
// in the JSON.
func TestServerLarge(t *testing.T) {
	t.Parallel()
	const n = 3<<20 + 5
	for name, f := range map[string]lmtest.Fault{"endless": lmtest.Endless(n), "gzip bomb": lmtest.GzipBomb(n)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := serve(t)
			s.Always(f)
			_, got, err := post(t.Context(), c, s.URL+"/chat/completions", askChat)
			var reply struct {
				Choices []struct{ Message struct{ Content string } }
			}
			if err = errors.Join(err, json.Unmarshal([]byte(got), &reply)); err != nil {
				t.Fatal(err)
			}
			if text := reply.Choices[0].Message.Content; text != strings.Repeat("a", n) {
				t.Errorf("the text has %d bytes, want %d times an a", len(text), n)
			}
			if sent := s.Sent(); name == "gzip bomb" && sent > n/200 {
				t.Errorf("%d bytes were sent for %d", sent, n)
			}
		})
	}
}

func TestGzipBombIsOneFile(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	if err := lmtest.GzipBomb(2<<20).Body(&packed, nil); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, z); err != nil || n <= 2<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestServerStallsUntil(t *testing.T) {
	t.Parallel()
	for _, phase := range []lmtest.Phase{lmtest.BeforeHeader, lmtest.InHeader, lmtest.InBody} {
		for _, leave := range []bool{true, false} {
			t.Run(fmt.Sprint(phase, leave), func(t *testing.T) {
				t.Parallel()
				s, c := serve(t)
				s.Always(lmtest.Fault{End: lmtest.EndStall, After: 3, Phase: phase})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := make(chan error, 1)
				go func() {
					_, _, err := post(ctx, c, s.URL+"/chat/completions", askChat)
					done <- err
				}()
				if err := s.Await(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				if leave {
					cancel()
				} else {
					s.Close()
				}
				if err := <-done; err == nil || errors.Is(err, context.Canceled) != leave {
					t.Errorf("the call has ended with %v", err)
				}
				if err := s.AwaitQuiet(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestServerTicks(t *testing.T) {
	t.Parallel()
	s, c := serve(t)
	tick := make(chan struct{})
	s.Always(lmtest.Fault{Tick: tick, End: lmtest.EndShort, After: 4})
	done := make(chan string, 1)
	go func() {
		_, got, err := post(t.Context(), c, s.URL+"/chat/completions", askChat)
		done <- fmt.Sprint(got, err)
	}()
	for i := range int64(4) {
		if sent := s.Sent(); sent > i {
			t.Errorf("%d bytes were sent after %d ticks", sent, i)
		}
		tick <- struct{}{}
		if err := s.AwaitSent(t.Context(), i+1); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-done; got != `{"id<nil>` {
		t.Errorf("got %s", got)
	}
}

func TestServerOverTLS(t *testing.T) {
	t.Parallel()
	s := lmtest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	_, got, err := post(t.Context(), s.Client(), s.URL+"/chat/completions", askChat)
	if err != nil || !strings.Contains(got, `"content":"ok"`) || !strings.HasPrefix(s.URL, "https://") {
		t.Errorf("%s: %s, %v", s.URL, got, err)
	}
	_, c := serve(t)
	if _, got, err := post(t.Context(), c, s.URL+"/chat/completions", askChat); err == nil {
		t.Errorf("a client that does not know the certificate got %s", got)
	}
}

func TestServerClosesConnections(t *testing.T) {
	t.Parallel()
	s, c := serve(t)
	for range 3 {
		if _, _, err := post(t.Context(), c, s.URL+"/chat/completions", askChat); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			t.Fatal(err)
		}
		s.CloseConnections()
	}
	s.Close()
	s.Close()
	if _, got, err := post(t.Context(), c, s.URL+"/chat/completions", askChat); err == nil {
		t.Errorf("a closed server answers %s", got)
	}
}

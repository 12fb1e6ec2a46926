package openai

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/whetgo/whet/lm"
)

// TestClosedConnection has a server that closes a connection when it is used again, as it
// may one that has idled. A server of one's own is asked once more, one that takes money
// is not.
func TestClosedConnection(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		calls int64
		kind  lm.ErrorKind
	}{
		"llama-server/m": {3, ""},
		"ollama/m":       {3, ""},
		"openai/gpt-5":   {2, lm.ErrBackend},
	} {
		var calls atomic.Int64
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
			if calls.Add(1) == 2 {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.Close()
				return
			}
			w.Header().Set("Content-Type", jsonType)
			_, _ = io.WriteString(w, chat("hi"))
		})
		m := open(t, s, name)
		generate(t, m, asks("one"))
		_, err := m.Generate(t.Context(), asks("two"))
		if want.kind == "" && err != nil || want.kind != "" && !errors.Is(err, want.kind) || calls.Load() != want.calls {
			t.Errorf("%s: after %d requests %v, want %d and %q", name, calls.Load(), err, want.calls, want.kind)
		}
	}
}

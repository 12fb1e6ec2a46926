package llamacpp

import (
	"errors"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// Where the cache cannot be cut back, a request gets its reply or an error, and never a
// reply from tokens that should not be there.
func TestRefusedCut(t *testing.T) {
	t.Parallel()
	stuck := func(f *fakeEngine) { f.stuck = true }
	refused := func(err error) bool { return errors.Is(err, lm.ErrBackend) && errors.Is(err, errNoCut) }

	t.Run("within a request", func(t *testing.T) {
		t.Parallel()
		// A text's tokens come back in another division once a literal stands behind it.
		failed := 0
		for i, r := range someRequests(240) {
			if len(r.Messages) == 0 {
				continue
			}
			r.Temperature = lm.Temperature(1)
			free, _ := openFake(t, 512)
			want, err := free.Generate(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			m, f := openFake(t, 512, stuck)
			got, err := m.Generate(t.Context(), r)
			m.Close()
			switch {
			case err == nil && !alike(got, want):
				t.Errorf("request %d: got %+v\nwant %+v", i, got, want)
			case err != nil && !refused(err):
				t.Error(err)
			case err != nil:
				failed++
			}
			checkAccount(t, m, f)
		}
		if failed == 0 {
			t.Error("no request needed a cut")
		}
	})

	t.Run("after a step that failed", func(t *testing.T) {
		t.Parallel()
		m, f := openFake(t, 512, stuck, func(f *fakeEngine) { f.broken = 2 })
		long := &lm.Request{Prompt: strings.Repeat("0123456789", 15), MaxTokens: 1} // three steps
		if _, err := m.Generate(t.Context(), long); !refused(err) {
			t.Errorf("got %v", err)
		}
		if _, err := m.Generate(t.Context(), long); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		m.Close()
		checkAccount(t, m, f)
	})
}

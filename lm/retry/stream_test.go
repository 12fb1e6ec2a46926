package retry_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/retry"
)

func TestStream(t *testing.T) {
	t.Parallel()
	broke := status(500, lm.ErrBackend)
	broke.Partial = &lm.Response{Usage: lm.Usage{Calls: 1, CompletionTokens: 4}}
	text := func(s string) *lm.Event { return &lm.Event{Text: s} }
	end := &lm.Event{Response: &lm.Response{Text: "hi", Usage: lm.Usage{Calls: 1, CompletionTokens: 1}}}
	whole := part{events: []*lm.Event{text("h"), text("i"), end}}
	for _, tt := range []struct {
		name   string
		calls  []part
		text   string
		made   int
		reason retry.Reason // of the error, and none without
		tokens int
	}{
		{"whole", []part{whole}, "hi", 1, "", 1},
		{"nothing shown", []part{{err: broke}, whole}, "hi", 2, "", 5},
		{"nothing but an empty event", []part{{events: []*lm.Event{{}}, err: broke}, whole}, "hi", 2, "", 5},
		{"always", []part{{err: broke}, {err: broke}, {err: broke}}, "", 3, retry.NoAttempts, 0},
		{"text shown", []part{{events: []*lm.Event{text("h")}, err: broke}, whole}, "h", 1, retry.Shown, 0},
		{"reasoning shown", []part{{events: []*lm.Event{{Reasoning: "hm"}}, err: broke}, whole}, "", 1, retry.Shown, 0},
		{"reply shown", []part{{events: []*lm.Event{end}, err: broke}, whole}, "", 1, retry.Shown, 1},
		{"shown at the second attempt", []part{{err: broke}, {events: []*lm.Event{text("h")}, err: broke}, whole}, "h", 2, retry.Shown, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				model := &streamer{calls: tt.calls}
				var got string
				var failed error
				tokens := 0
				for event, err := range lm.Stream(t.Context(), retry.With()(model), hello) {
					if failed = err; err != nil {
						continue
					}
					got += event.Text
					if event.Response != nil {
						tokens = event.Response.Usage.CompletionTokens
					}
				}
				require.Equal(t, tt.text, got)
				require.Equal(t, tt.made, model.n)
				require.Equal(t, tt.tokens, tokens)
				require.Equal(t, 1, end.Response.Usage.CompletionTokens, "the backend's reply is not changed")
				if tt.reason == "" {
					require.NoError(t, failed)
					return
				}
				var gaveUp *retry.Error
				require.ErrorAs(t, failed, &gaveUp)
				require.Equal(t, tt.reason, gaveUp.Reason)
				require.Equal(t, tt.made, gaveUp.Attempts)
			})
		})
	}
}

// Leaving the loop leaves the stream behind, and no attempt follows.
func TestStreamLeft(t *testing.T) {
	t.Parallel()
	model := &streamer{calls: []part{{events: []*lm.Event{{Text: "a"}, {Text: "b"}}}}}
	for range lm.Stream(t.Context(), retry.With()(model), hello) {
		break
	}
	require.Equal(t, 1, model.n)
	require.Equal(t, 1, model.left)
}

// A model without streams is tried again as well.
func TestStreamOfPlainModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := &flaky{errs: []error{busy(0)}}
		var got string
		for event, err := range lm.Stream(t.Context(), retry.With()(model), hello) {
			require.NoError(t, err)
			got += event.Text
		}
		require.Equal(t, "hi", got)
		require.Equal(t, 2, model.calls())
	})
}

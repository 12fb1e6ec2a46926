package llamacpp

import (
	"testing"

	"github.com/whetgo/whet/lm"
)

// A text that ends before its literal is there in full has nothing of that literal.
func TestInterruptedText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, drawn, literal, want string
		end                        bool // by the model, not by MaxTokens
	}{
		{name: "nothing of it", drawn: "xyz", literal: "\nLabel", want: "xyz\nLabel"},
		{name: "half of it", drawn: "&aa", literal: "aab", want: "&aab"},
		{name: "half of it, then the turn ends", drawn: "&aa", literal: "aab", want: "&aab", end: true},
		{name: "the longest part", drawn: "x\n\n", literal: "\n\n[[", want: "x\n\n[["},
		{name: "an earlier part stays", drawn: "aax", literal: "aab", want: "aaxaab"},
		{name: "all that was drawn", drawn: "aa", literal: "aab", want: "aab"},
		{name: "half a character", drawn: "x\xc3", literal: "\nLabel", want: "x\nLabel"},
		{name: "half a character of it", drawn: "x\n\xc3", literal: "\nétat", want: "x\nétat"},
		{name: "half a character, then the turn ends", drawn: "x\n\xc3", literal: "\nLabel", want: "x\nLabel", end: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, _ := openFake(t, 512)
			r := &lm.Request{Prompt: "p", MaxTokens: len(test.drawn), Shape: &lm.Shape{Segments: []lm.Segment{{Hole: lm.HoleText}, {Literal: test.literal}}}}
			if test.end {
				r.MaxTokens++
			}
			j, err := m.plan(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			filled := false
			for _, b := range []byte(test.drawn) {
				if filled {
					t.Fatal("the hole is filled too early")
				}
				filled, _ = j.take(fakeBytes + int32(b))
			}
			if test.end {
				filled, _ = j.take(fakeEnd)
			}
			if !filled {
				t.Fatal("the hole is not filled")
			}
			if err := j.advance(); err != nil {
				t.Fatal(err)
			}
			if got := j.response(); got.Text != test.want || (got.Finish == lm.FinishLength) == test.end {
				t.Errorf("got %q (%s), want %q", got.Text, got.Finish, test.want)
			}
		})
	}
}

package adapter

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestMarkersRoundTrip(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"[", "[[", joiner, " ##", "#", " ", "label", "## ]]", "\n", "ä", "[[ ##", markerHidden}
	for range 5000 {
		var b strings.Builder
		for range rng.IntN(12) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		s := b.String()
		hidden := hideMarkers(s)
		if strings.Contains(hidden, markerOpen) {
			t.Fatalf("%q still holds a marker: %q", s, hidden)
		}
		if back := revealMarkers(hidden); back != s {
			t.Fatalf("%q became %q and then %q", s, hidden, back)
		}
		if !strings.Contains(s, " ##") && hidden != s {
			t.Fatalf("%q was changed to %q", s, hidden)
		}
	}
}

package optimize

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestDiffWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ before, after, want string }{
		{"", "", ""},
		{"same", "same", "same"},
		{"", "new text", "+new text+"},
		{"old text", "", "-old text-"},
		{"a b c", "a x c", "a -b -+x +c"},
		{"a b c ", "a c ", "a -b -c "},
		{"a c", "a b c", "a +b +c"},
		{"one two", "three four", "-one two-+three four+"},
		{"a\nb", "a b", "-a\n-+a +b"},
		{"a  b", "a  b c", "a  -b-+b c+"},
	} {
		if got := marked(diffWords(tt.before, tt.after)); got != tt.want {
			t.Errorf("%q and %q: %q, want %q", tt.before, tt.after, got, tt.want)
		}
	}
}

func marked(parts []diffPart) string {
	var b strings.Builder
	for _, p := range parts {
		mark := map[string]string{"": "", addedKind: "+", removedKind: "-"}[p.Kind]
		b.WriteString(mark + p.Text + mark)
	}
	return b.String()
}

// TestDiffIsWhole reads both texts back from what differs, and checks that what they have in
// common is as long as can be.
func TestDiffIsWhole(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		words := make([]string, rng.IntN(9))
		for i := range words {
			words[i] = string(rune('a'+rng.IntN(3))) + []string{" ", "\n", "  "}[rng.IntN(3)]
		}
		return strings.Join(words, "")
	}
	for range 3000 {
		before, after := text(), text()
		var a, b strings.Builder
		same := 0
		for _, p := range diffWords(before, after) {
			if p.Kind != addedKind {
				a.WriteString(p.Text)
			}
			if p.Kind != removedKind {
				b.WriteString(p.Text)
			}
			if p.Kind == "" {
				same += len(splitWords(p.Text))
			}
		}
		if a.String() != before || b.String() != after {
			t.Fatalf("%q and %q read back as %q and %q", before, after, a.String(), b.String())
		}
		if want := common(splitWords(before), splitWords(after)); same != want {
			t.Fatalf("%q and %q have %d words in common, and %d can be", before, after, same, want)
		}
	}
}

// common is the length of a longest common subsequence, by trying all.
func common(a, b []string) int {
	switch {
	case len(a) == 0 || len(b) == 0:
		return 0
	case a[0] == b[0]:
		return 1 + common(a[1:], b[1:])
	}
	return max(common(a[1:], b), common(a, b[1:]))
}

func TestDiffOfVeryLongTexts(t *testing.T) {
	t.Parallel()
	var a, b strings.Builder
	for i := range mostWords + 1 {
		fmt.Fprintf(&a, "a%d ", i)
		fmt.Fprintf(&b, "b%d ", i)
	}
	parts := diffWords("the head "+a.String()+"tail", "the head "+b.String()+"tail")
	if len(parts) != 4 || parts[0].Text != "the head " || parts[1].Kind != removedKind || parts[2].Kind != addedKind || parts[3].Text != "tail" {
		t.Errorf("%d parts", len(parts))
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		low, high float64
		want      string
	}{
		{0, 1, "0 0.2 0.4 0.6 0.8 1"},
		{0.7, 0.84, "0.7 0.75 0.8"},
		{200, 1200, "200 400 600 800 1,000 1,200"},
		{0, 100_000, "0 20,000 40,000 60,000 80,000 100,000"},
		{-1, 1, "-1 -0.5 0 0.5 1"},
		{3, 3.0001, "3 3.00005 3.0001"},
	} {
		var labels []string
		for _, v := range ticks(tt.low, tt.high) {
			labels = append(labels, tickLabel(v))
		}
		if got := strings.Join(labels, " "); got != tt.want {
			t.Errorf("from %v to %v: %s, want %s", tt.low, tt.high, got, tt.want)
		}
	}
}

func TestChart(t *testing.T) {
	t.Parallel()
	if c := newChart("a", "b", []chartPoint{{1, math.NaN(), "", false}, {math.Inf(1), 2, "", false}}); c != nil {
		t.Error("a chart of no numbers")
	}
	c := newChart("a", "b", []chartPoint{{0, 1, "first", false}, {5, math.NaN(), "", false}, {10, 3, "last", true}})
	if c.Path != fmt.Sprintf("M%d %dH%dV%d", chartLeft, chartBottom, chartRight, chartTop) || len(c.Dots) != 2 || c.Dots[1] != (dot{"704", "16", "last", true}) {
		t.Errorf("the chart is %+v", c)
	}
	// One point, and points that are alike, have a place, too.
	for _, points := range [][]chartPoint{{{7, 0.5, "", false}}, {{0, 0, "", false}, {0, 0, "", false}}} {
		if c := newChart("a", "b", points); strings.Contains(c.Path, "NaN") || strings.Contains(c.Path, "Inf") || len(c.XTicks) == 0 || len(c.YTicks) == 0 {
			t.Errorf("the chart is %+v", c)
		}
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -4321: "-4,321", -100: "-100"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// TestChartOfEqualScores draws two scores that differ by rounding alone, between which no
// number is.
func TestChartOfEqualScores(t *testing.T) {
	t.Parallel()
	c := newChart("score", "calls", []chartPoint{{x: 1, y: 0.84}, {x: 2, y: math.Nextafter(0.84, 1)}})
	if n := len(c.YTicks); n < 2 || n > 12 {
		t.Errorf("%d ticks", n)
	}
}

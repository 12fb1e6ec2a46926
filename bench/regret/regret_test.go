package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/whetgo/whet/bench/internal/sms"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/cache"
)

// ownRows are messages of our own.
func ownRows(n int) []sms.Row {
	kinds := []struct{ label, text string }{
		{"ham", "Shall we meet for tea at %d?"},
		{"spam", "Big sale, %d per cent off all shoes."},
		{"smishing", "Your card is locked, ring 0900 %d now."},
	}
	var rows []sms.Row
	for i := range n {
		k := kinds[i%3]
		rows = append(rows, sms.Row{In: sms.Message{Text: fmt.Sprintf(k.text, i)}, Out: sms.Verdict{Label: k.label}, ID: fmt.Sprint(i)})
	}
	return rows
}

// fake scores the labels: the right one of a message is likelier the better the prompt is.
type fake struct{}

func (fake) Name() string { return "fake" }

func (fake) Generate(_ context.Context, r *lm.Request) (*lm.Response, error) {
	ask := r.Prompt[strings.LastIndex(r.Prompt, "Text:"):]
	right := 0
	if strings.Contains(ask, "sale") {
		right = 1
	} else if strings.Contains(ask, "card") {
		right = 2
	}
	strength := 0.5
	if strings.Contains(r.Prompt, "guard") {
		strength = 3
	}
	// Every fifth row is difficult, and all lean to the second label.
	if strings.Contains(ask, "5") {
		strength--
	}
	var logits [3]float64
	logits[right] += strength
	logits[1]++
	resp := &lm.Response{Shaped: true, Finish: lm.FinishStop, Usage: lm.Usage{Calls: 1}}
	for _, s := range r.Shape.Segments {
		switch {
		case s.Hole == lm.HoleChoice:
			sum := 0.0
			for _, l := range logits {
				sum += math.Exp(l)
			}
			c := lm.Choice{Name: s.Name}
			for i, a := range s.Choices {
				p := logits[i] - math.Log(sum)
				c.Options = append(c.Options, lm.Option{Text: a.Text, LogProb: p, Prob: math.Exp(p)})
				if c.Options[i].Prob > c.Options[c.Picked].Prob {
					c.Picked = i
				}
			}
			resp.Choices = append(resp.Choices, c)
			resp.Text += c.Options[c.Picked].Text
		default:
			resp.Text += s.Literal
		}
	}
	return resp, nil
}

func testTable(t *testing.T) *table {
	t.Helper()
	rows := ownRows(60)
	g, err := newGrid(instructions()[:3], 3, rows[:20], rows[20:44], rows[44:])
	if err != nil {
		t.Fatal(err)
	}
	store := cache.Memory()
	t.Cleanup(func() { store.Close() })
	tab, err := newTable(t.Context(), g, "fake", fake{}, store, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// TestSearches runs all kinds of search on the stored answers.
func TestSearches(t *testing.T) {
	t.Parallel()
	tab := testTable(t)
	if tab.best/3 != 2 || tab.score[tab.best] <= tab.score[0] {
		t.Fatalf("the best candidate is %s, and the scores are %v", tab.grid.name(tab.best), tab.score)
	}
	for _, k := range kinds() {
		curves, err := k.search(t.Context(), tab, 3)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range k.names {
			if len(curves[i]) != 3 {
				t.Errorf("%s: %d curves, want one for each seed", name, len(curves[i]))
			}
			for _, c := range curves[i] {
				if c.end() == 0 || c.end() > 2*tab.all() {
					t.Errorf("%s ends after %d calls of %d", name, c.end(), tab.all())
				}
				if !slices.IsSortedFunc(c, func(a, b point) int { return a.calls - b.calls }) {
					t.Errorf("%s: the curve goes back: %v", name, c)
				}
			}
		}
		if strings.HasPrefix(k.names[0], "all") {
			for _, c := range curves[0] {
				if c.end() != tab.all() || tab.score[c.at(c.end())] != tab.score[tab.best] {
					t.Errorf("%s ends with candidate %d after %d calls; want one as good as %d after %d", k.names[0], c.at(c.end()), c.end(), tab.best, tab.all())
				}
			}
		}
	}
	var out strings.Builder
	if err := reportBest(t.Context(), tab.grid, []*table{tab}, io.Discard, &out); err != nil {
		t.Fatal(err)
	}
	tab.describe(&out)
	if err := tab.race(t.Context(), config{seeds: 2, progress: io.Discard}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"naive Bayes, same rows", "ensemble, summed", "Race without a stopping rule", "MIPROv2, equal calls counted once", "the best candidate's"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
	for _, r := range ownRows(60) {
		if strings.Contains(out.String(), r.In.Text) {
			t.Errorf("the report shows the row %s", r.ID)
		}
	}
}

// TestOnlyStored checks that a search cannot ask the model.
func TestOnlyStored(t *testing.T) {
	t.Parallel()
	tab := testTable(t)
	tab.grid.rows = append(slices.Clip(tab.grid.rows), ownRows(300)[299])
	if _, err := kinds()[2].search(t.Context(), tab, 1); err == nil || !strings.Contains(err.Error(), "not in the store") {
		t.Errorf("with a row that nobody has answered the search returned %v", err)
	}
}

func TestCurve(t *testing.T) {
	t.Parallel()
	score := []float64{0.5, 0.7, 1}
	a := curve{{10, 0}, {20, 1}, {20, 2}, {40, 1}}
	for _, tt := range []struct{ calls, want int }{{0, 0}, {9, 0}, {10, 0}, {19, 0}, {20, 2}, {39, 2}, {40, 1}, {100, 1}} {
		if got := a.at(tt.calls); got != tt.want {
			t.Errorf("after %d calls it recommends %d, want %d", tt.calls, got, tt.want)
		}
	}
	b := curve{{30, 2}}
	for _, tt := range []struct {
		curves []curve
		target float64
		want   int
	}{
		{[]curve{a}, 0.9, 20},
		{[]curve{a, b}, 0.9, 30},
		{[]curve{a, b}, 0.7, 20},
		{[]curve{b, b, b}, 1, 30},
		{[]curve{a, b}, 1.1, 0},
	} {
		if got, ok := crossing(tt.curves, score, tt.target); got != tt.want || ok != (tt.want > 0) {
			t.Errorf("%v reach %g after %d calls (%v), want %d", tt.curves, tt.target, got, ok, tt.want)
		}
	}
	if low, high := crossingInterval([]curve{b, {{50, 2}}}, score, 1); low != 30 || high != 50 {
		t.Errorf("the interval is %d to %d, want 30 to 50", low, high)
	}
	if _, high := crossingInterval([]curve{b, {{50, 0}}}, score, 1); high != math.MaxInt {
		t.Errorf("the upper end is %d where half of the searches never reach it", high)
	}
}

// TestGrow checks that members that err on different rows are put together.
func TestGrow(t *testing.T) {
	t.Parallel()
	rows := ownRows(6)
	say := func(wrong ...int) [][]float64 {
		var out [][]float64
		for i := range rows {
			l := []float64{-3, -3, -3}
			if slices.Contains(wrong, i) {
				l[(i+1)%3] = -1 // not very sure
			} else {
				l[i%3] = -0.05
			}
			out = append(out, l)
		}
		return out
	}
	v := votes{say(0, 1, 2), say(0, 1), say(2, 3)}
	chosen := v.grow(rows)
	if right, _ := v.quality(chosen, rows); right != 1 || !slices.Contains(chosen, 1) || !slices.Contains(chosen, 2) {
		t.Errorf("the members are %v, right on %g of the rows", chosen, right)
	}
	if chosen := (votes{say(0), say()}).grow(rows); !slices.Equal(chosen, []int{1}) {
		t.Errorf("the members are %v; want the one that is always right, once", chosen)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, want string }{
		{"", ""},
		{"-rows 6 -instructions 2 -sets 2", ""},
		{"-rows 2", "at least 3"},
		{"-instructions 7", "want 1 to 6"},
		{"-instructions 1 -sets 1", "at least 2 candidates"},
		{"-seeds 1", "at least 2"},
		{"now", "unknown argument"},
	} {
		c, err := parse(strings.Fields(tt.args), io.Discard)
		if tt.want == "" && (err != nil || c.store == "") || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: %+v, %v; want %q", tt.args, c, err, tt.want)
		}
	}
	if _, err := modelPath("GPT"); err == nil {
		t.Error("a model that is not there is no error")
	}
}

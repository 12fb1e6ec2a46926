package optimize

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/module"
)

// grown returns an evolution with a pool of candidates of two predictors.
func grown(pool ...evolved) *evolution {
	g := &evolution{
		s: &session{task: &task{}, named: make([]module.Named, 2)}, pool: pool,
		draws: pyrand.New(0), merging: merging{most: 5, tried: map[string]bool{}},
	}
	g.s.sizes[valSet] = len(pool[0].scores)
	for i, c := range pool {
		sum := 0.0
		for _, v := range c.scores {
			sum += v
		}
		g.pool[i].score = sum / float64(len(c.scores))
	}
	return g
}

// TestMergerTakesWhatChanged has two lineages, each of which changed one predictor.
func TestMergerTakesWhatChanged(t *testing.T) {
	t.Parallel()
	root := evolved{texts: []string{"old topic", "old judge"}, scores: []float64{0, 0, 0, 0, 1, 1}}
	left := evolved{texts: []string{"new topic", "old judge"}, parents: []int{0}, scores: []float64{1, 1, 0, 0, 1, 1}}
	right := evolved{texts: []string{"old topic", "new judge"}, parents: []int{0}, scores: []float64{0, 0, 1, 1, 1, 1}}
	g := grown(root, left, right)
	pair, texts, ok := g.merger()
	if !ok || pair != (ancestry{1, 2, 0}) || !slices.Equal(texts, []string{"new topic", "new judge"}) {
		t.Errorf("got %v of %+v, %v", texts, pair, ok)
	}
	if _, _, ok := g.merger(); ok {
		t.Error("the same merge was made twice")
	}
	rows := g.mergeSample(left.scores, right.scores)
	slices.Sort(rows)
	if len(rows) != 5 || !slices.Equal(rows[:4], []int{0, 1, 2, 3}) {
		t.Errorf("the merge is tried on %v, want where the two differ, and one more", rows)
	}
}

// TestMergerRefuses has pools in which there is nothing to merge.
func TestMergerRefuses(t *testing.T) {
	t.Parallel()
	root := evolved{texts: []string{"a", "b"}, scores: []float64{0, 0, 0, 0, 1}}
	left := evolved{texts: []string{"A", "b"}, parents: []int{0}, scores: []float64{1, 1, 0, 0, 1}}
	right := evolved{texts: []string{"a", "B"}, parents: []int{0}, scores: []float64{0, 0, 1, 1, 1}}
	better := root
	better.scores = []float64{0, 0, 0, 4, 1}
	heir := right
	heir.parents = []int{1}
	same := right
	same.texts = []string{"A", "b"}
	for name, pool := range map[string][]evolved{
		"two candidates":          {root, left},
		"an ancestor and its own": {root, left, heir},
		"the same instructions":   {root, left, same},
		"a better ancestor":       {better, left, right},
		"too few examples": {
			{texts: root.texts, scores: []float64{0, 0}},
			{texts: left.texts, parents: []int{0}, scores: []float64{1, 0}},
			{texts: right.texts, parents: []int{0}, scores: []float64{0, 1}},
		},
	} {
		if pair, texts, ok := grown(slices.Clone(pool)...).merger(); ok {
			t.Errorf("%s: got %v of %+v", name, texts, pair)
		}
	}
}

// TestCombineBoth has two candidates that changed the same predictor: the better one's counts.
func TestCombineBoth(t *testing.T) {
	t.Parallel()
	root := evolved{texts: []string{"a", "b"}, scores: []float64{0, 0, 0, 0, 0}}
	left := evolved{texts: []string{"left", "b"}, parents: []int{0}, scores: []float64{1, 0, 0, 0, 0}}
	right := evolved{texts: []string{"right", "B"}, parents: []int{0}, scores: []float64{0, 1, 1, 0, 0}}
	if texts, from := grown(root, left, right).combine(ancestry{1, 2, 0}); !slices.Equal(texts, []string{"right", "B"}) || !slices.Equal(from, []int{2, 2}) {
		t.Errorf("got %v from %v", texts, from)
	}
	right.scores = []float64{0, 0, 0, 0, 1}
	drawn := map[string]bool{}
	g := grown(root, left, right)
	for range 50 {
		texts, _ := g.combine(ancestry{1, 2, 0})
		drawn[texts[0]] = true
	}
	if len(drawn) != 2 {
		t.Errorf("of equals %v were drawn, want now the one and now the other", drawn)
	}
}

// TestFrontsDropTheDominated has a candidate that leads only where others lead, too.
func TestFrontsDropTheDominated(t *testing.T) {
	t.Parallel()
	g := grown(
		evolved{scores: []float64{1, 1, 0, 0}}, // each of its examples has another leader
		evolved{scores: []float64{1, 0, 1, 0}},
		evolved{scores: []float64{0, 1, 0, 1}},
		evolved{scores: []float64{0, 0, 0, 0}},
	)
	want := [][]int{{1}, {2}, {1}, {2}}
	if got := g.fronts(); !slices.EqualFunc(got, want, slices.Equal[[]int]) {
		t.Errorf("the fronts are %v, want %v", got, want)
	}
	if got := g.leaders(); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("the leaders are %v", got)
	}
	drawn := map[int]int{}
	for range 1000 {
		drawn[g.choose()]++
	}
	if len(drawn) != 2 || drawn[1] < 400 || drawn[2] < 400 {
		t.Errorf("drawn were %v, want 1 and 2 equally often", drawn)
	}
	g.Selection = SelectBest
	if got := g.choose(); got != 0 {
		t.Errorf("the best is %d, want the first of equals, 0", got)
	}
}

// TestEpochs hands out every example once an epoch, and the last ones of the order again
// where they do not fill the last minibatch.
func TestEpochs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, size int }{{12, 3}, {7, 3}, {2, 5}, {1, 1}} {
		e := &epochs{n: c.n, size: c.size, draws: pyrand.New(3)}
		per := (c.n + c.size - 1) / c.size
		orders := map[string]bool{}
		for epoch := range 4 {
			var all []int
			for k := range per {
				rows := e.next(epoch*per + k)
				if len(rows) != c.size {
					t.Fatalf("%+v: a minibatch of %d", c, len(rows))
				}
				all = append(all, rows...)
			}
			pad := per*c.size - c.n
			for k := range pad {
				if all[c.n+k] != all[c.n-1-k%c.n] {
					t.Errorf("%+v: %v is not filled up with its last", c, all)
				}
			}
			data, _ := json.Marshal(all)
			orders[string(data)] = true
			all = slices.Clone(all[:c.n])
			if slices.Sort(all); !slices.Equal(all, identityOrder(c.n)) {
				t.Errorf("%+v: the epoch has %v", c, all)
			}
		}
		if c.n > 6 && len(orders) != 4 {
			t.Errorf("%+v: epochs repeat", c)
		}
	}
}

// TestSetOrder compares with the order of Python's own sets.
func TestSetOrder(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/gepa_two.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Sets []struct{ A, B, Added, Copied, Common []int }
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Sets) < 50 {
		t.Fatalf("%d sets are too few", len(want.Sets))
	}
	for _, w := range want.Sets {
		a, b := setOf(w.A...), setOf(w.B...)
		if got := a.list(); !slices.Equal(got, w.Added) {
			t.Errorf("%v added gives %v, want %v", w.A, got, w.Added)
		}
		if got := a.copied().list(); !slices.Equal(got, w.Copied) {
			t.Errorf("%v copied gives %v, want %v", w.A, got, w.Copied)
		}
		if got := a.common(b).list(); !slices.Equal(got, w.Common) {
			t.Errorf("%v and %v have %v in common, want %v", w.A, w.B, got, w.Common)
		}
	}
}

// TestExactSum has terms whose plain sum depends on their order.
func TestExactSum(t *testing.T) {
	t.Parallel()
	a, b := []float64{0.1, 0.2, 0.3}, []float64{0.3, 0.2, 0.1}
	if a[0]+a[1]+a[2] == b[0]+b[1]+b[2] {
		t.Fatal("the plain sums are equal, so that this proves nothing")
	}
	if exactSum(a) != exactSum(b) || exactSum(nil) != 0 {
		t.Errorf("the sums are %v and %v", exactSum(a), exactSum(b))
	}
}

package optimize

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm/lmtest"
)

func testRules(calls int) raceRules { return Race{}.rules(calls) }

// worldRace races the cells of a world's fixed grid; expected is the truth of each entrant.
func worldRace(t *testing.T, cfg lmtest.SynthConfig, rules raceRules, seed uint64) (r *race, ask raceAsk, expected func(entrant int) float64) {
	t.Helper()
	m, err := lmtest.NewSynthLM(cfg)
	if err != nil {
		t.Fatal(err)
	}
	strategies, sets := m.Grid(9, 18, 8)
	slots := []raceSlot{{group: instructionEffect, levels: len(strategies)}, {group: setEffect, levels: len(sets)}}
	if r, err = newRace(slots, lmtest.SynthDevEnd-lmtest.SynthDev, rules, seed); err != nil {
		t.Fatal(err)
	}
	prompt := func(entrant int) (int, []lmtest.SynthDemo) {
		c := r.entrants[entrant].choice
		return strategies[c[0][0]], sets[c[1][0]]
	}
	ask = func(pulls []racePull) ([]float64, error) {
		scores := make([]float64, len(pulls))
		for i, p := range pulls {
			s, d := prompt(p.entrant)
			if q := lmtest.SynthDev + p.item; m.Answer(s, d, q, 0) == m.Label(q) {
				scores[i] = 1
			}
		}
		return scores, nil
	}
	return r, ask, func(entrant int) float64 { return m.Expected(prompt(entrant)) }
}

// TestRaceOnTheGrid checks on worlds that it was tuned on that a race comes near to the best of
// 162 candidates within 1,000 answers, where asking all takes 48,600.
func TestRaceOnTheGrid(t *testing.T) {
	t.Parallel()
	found, best, begun := 0.0, 0.0, 0.0
	for world := 100; world < 102; world++ {
		r, ask, expected := worldRace(t, lmtest.SynthConfig{World: world}, testRules(1000), 1)
		lead := 0
		if _, err := r.run(0, ask, func(l int) { lead = l }); err != nil {
			t.Fatal(err)
		}
		top := 0.0
		for i := range r.entrants {
			top = max(top, expected(i))
		}
		found, best, begun = found+expected(lead)/2, best+top/2, begun+expected(0)/2
		if r.calls > 1000 {
			t.Errorf("world %d: %d answers", world, r.calls)
		}
	}
	if found < best-0.05 {
		t.Errorf("the race found %.4f, the best is %.4f, and the program as it was %.4f", found, best, begun)
	}
}

// TestRaceAsksOnce checks the batches: no answer twice, as many as are allowed, and those of
// a heat answer the same item.
func TestRaceAsksOnce(t *testing.T) {
	t.Parallel()
	rules := testRules(200)
	rules.limit = 0
	r, ask, _ := worldRace(t, lmtest.SynthConfig{World: 110}, rules, 3)
	seen := map[racePull]bool{}
	shared, heats, n := 0, 0, 0
	_, err := r.run(0, func(pulls []racePull) ([]float64, error) {
		for _, p := range pulls {
			if seen[p] {
				t.Errorf("%+v is asked twice", p)
			}
			seen[p] = true
		}
		if n > 0 && len(pulls) == rules.batch {
			for heat := range slices.Chunk(pulls, rules.heat) {
				heats++
				if !slices.ContainsFunc(heat, func(p racePull) bool { return p.item != heat[0].item }) {
					shared++
				}
			}
		}
		n += len(pulls)
		return ask(pulls)
	}, func(int) {})
	if err != nil || n != 200 || r.calls != 200 {
		t.Errorf("%d answers, %v; want 200", n, err)
	}
	if shared < heats*3/4 {
		t.Errorf("in %d of %d heats all answer the same item", shared, heats)
	}
}

// TestRaceRepeats runs twice, and with answers that come in another order.
func TestRaceRepeats(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) ([]racePull, int) {
		var all []racePull
		r, ask, _ := worldRace(t, lmtest.SynthConfig{World: 111}, testRules(300), seed)
		lead := 0
		if _, err := r.run(0, func(pulls []racePull) ([]float64, error) {
			all = append(all, pulls...)
			return ask(pulls)
		}, func(l int) { lead = l }); err != nil {
			t.Fatal(err)
		}
		return all, lead
	}
	a, leadA := run(5)
	b, leadB := run(5)
	other, _ := run(6)
	if !reflect.DeepEqual(a, b) || leadA != leadB {
		t.Error("the same race differs from itself")
	}
	if reflect.DeepEqual(a, other) {
		t.Error("another seed makes no difference")
	}
}

// luck is a task in which a candidate's answer is right with a probability of its own.
func luck(r *race, p func(e *entrant) float64) raceAsk {
	rng := rand.New(rand.NewPCG(9, 9))
	return func(pulls []racePull) ([]float64, error) {
		scores := make([]float64, len(pulls))
		for i, pull := range pulls {
			if rng.Float64() < p(r.entrants[pull.entrant]) {
				scores[i] = 1
			}
		}
		return scores, nil
	}
}

func TestRaceStops(t *testing.T) {
	t.Parallel()
	easy := func(e *entrant) float64 {
		if e.choice[0][0] == 2 {
			return 0.9
		}
		return 0.3
	}
	lone := func(*entrant) float64 { return 0.5 }
	for name, c := range map[string]struct {
		slots        []raceSlot
		items, calls int
		limit        float64
		p            func(*entrant) float64
		lead         int
		most         int
		why          string
	}{
		"an easy world":       {[]raceSlot{{levels: 4}}, 200, 1500, 0.01, easy, 2, 700, "expected to lose no more than"},
		"a budget":            {[]raceSlot{{levels: 4}}, 200, 60, 0, easy, 2, 60, "the budget of 60 answers"},
		"a small budget":      {[]raceSlot{{levels: 4}}, 200, 3, 0, easy, 0, 3, "the budget of 3 answers"},
		"one candidate":       {[]raceSlot{{levels: 1}, {levels: 1}}, 200, 1500, 0, lone, 0, 6, "only one candidate"},
		"everything is known": {[]raceSlot{{levels: 4}}, 6, 1500, 0, easy, 2, 24, "all answers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := testRules(c.calls)
			rules.limit = c.limit
			r, err := newRace(c.slots, c.items, rules, 1)
			if err != nil {
				t.Fatal(err)
			}
			lead := -1
			why, err := r.run(0, luck(r, c.p), func(l int) { lead = l })
			if err != nil || !strings.Contains(why, c.why) || lead != c.lead || r.calls > c.most {
				t.Errorf("%q, %v, after %d answers the leader is %d; want %q, %d, after at most %d", why, err, r.calls, lead, c.why, c.lead, c.most)
			}
		})
	}
}

// TestRaceMakesSets builds sets of single demos, of which six are good.
func TestRaceMakesSets(t *testing.T) {
	t.Parallel()
	rules := testRules(1000)
	r, err := newRace([]raceSlot{{group: instructionEffect, levels: 3}, {pool: 24, sizes: []int{0, 6}}}, 300, rules, 2)
	if err != nil {
		t.Fatal(err)
	}
	good := func(e *entrant) float64 {
		p := 0.35 + 0.05*float64(e.choice[0][0])
		for _, u := range e.choice[1] {
			if u%4 == 0 {
				p += 0.08
			}
		}
		return p
	}
	own := r.enter(raceChoice{{0}, {}})
	lead := 0
	if _, err := r.run(own, luck(r, good), func(l int) { lead = l }); err != nil {
		t.Fatal(err)
	}
	e := r.entrants[lead]
	if p := good(e); p < 0.35+0.1+4*0.08-1e-9 || len(e.choice[1]) != 6 {
		t.Errorf("the leader is %v, which is right with %.2f; 0.93 is possible", e.choice, p)
	}
	for _, e := range r.entrants {
		if n := len(e.choice[1]); n != 0 && n != 6 || !slices.IsSorted(e.choice[1]) {
			t.Errorf("an entrant has the demos %v", e.choice[1])
		}
	}
}

// TestRaceOfAnyUnit has scores that are not between 0 and 1.
func TestRaceOfAnyUnit(t *testing.T) {
	t.Parallel()
	r, err := newRace([]raceSlot{{levels: 4}}, 300, testRules(600), 1)
	if err != nil {
		t.Fatal(err)
	}
	p := func(e *entrant) float64 { return 0.2 + 0.2*float64(e.choice[0][0]) }
	percent := luck(r, p)
	lead := 0
	_, err = r.run(3, func(pulls []racePull) ([]float64, error) {
		scores, err := percent(pulls)
		for i := range scores {
			scores[i] *= 100
		}
		return scores, err
	}, func(l int) { lead = l })
	if err != nil {
		t.Fatal(err)
	}
	if mean, sd, err := r.score(lead); lead != 3 || err != nil || mean < 60 || mean > 95 || sd < 0.5 || sd > 10 {
		t.Errorf("the leader is %d with %.2f, sd %.2f (%v); want 3 with about 80", lead, mean, sd, err)
	}
}

func TestRacePassesErrorsOn(t *testing.T) {
	t.Parallel()
	r, ask, _ := worldRace(t, lmtest.SynthConfig{World: 112}, testRules(300), 1)
	broken := errors.New("broken")
	n := 0
	_, err := r.run(0, func(pulls []racePull) ([]float64, error) {
		if n++; n == 4 {
			return nil, broken
		}
		return ask(pulls)
	}, func(int) {})
	if !errors.Is(err, broken) || r.leader() < 0 {
		t.Errorf("got %v", err)
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	r, err := newRace([]raceSlot{{group: setEffect, levels: 3, parts: [][]int{nil, {0, 1}, {1}}}}, 10, testRules(10), 1)
	if err != nil {
		t.Fatal(err)
	}
	a, b := r.entrants[1].effects, r.entrants[2].effects
	if len(a) != 3 || len(b) != 2 || !slices.Contains(a, b[1]) || len(r.entrants[0].effects) != 1 {
		t.Errorf("the effects are %v, %v and %v", r.entrants[0].effects, a, b)
	}
}

func TestPareto(t *testing.T) {
	t.Parallel()
	got := pareto([]FrontPoint{{0, 50, 0.7}, {1, 10, 0.5}, {2, 50, 0.8}, {3, 80, 0.8}, {4, 90, 0.9}, {5, 5, 0.4}, {6, 20, 0.45}})
	want := []FrontPoint{{5, 5, 0.4}, {1, 10, 0.5}, {2, 50, 0.8}, {4, 90, 0.9}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

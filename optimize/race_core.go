package optimize

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/whetgo/whet/internal/factor"
)

// The groups of effects, each with a scale of its own.
const (
	instructionEffect = iota // of an instruction
	setEffect                // of a set of demos as a whole
	demoEffect               // of one demo
	sizeEffect               // of how many demos there are
	ownEffect                // of a candidate as a whole: what its parts do not explain
	effectGroups
)

// racePrior holds the scales that a race starts from, for scores between 0 and 1.
func racePrior() factor.Prior {
	scales := make([]float64, effectGroups)
	scales[instructionEffect], scales[setEffect], scales[ownEffect] = 0.07, 0.06, 0.03
	scales[demoEffect], scales[sizeEffect] = 0.02, 0.1
	return factor.Prior{Mean: 0.6, MeanScale: 0.3, Scales: scales, Item: 0.27, Noise: 0.38}
}

// raceRules are a race's settings.
type raceRules struct {
	batch int // answers that are asked for at once
	heat  int // candidates of a batch that answer the same item
	calls int // answers in all
	// limit ends the race when what stopping loses is expected to be less.
	limit float64
	// least is how many answers there are before limit counts.
	least   int
	spread  float64 // of the draws that choose candidates; 1 is the posterior
	leaders int     // candidates of a batch that look best; the others are drawn
	prior   factor.Prior
	// refit is how many answers there are before the scales are fitted first; they are
	// fitted again at each doubling.
	refit int
}

// raceLossDraws is the number of draws that expect the loss.
const raceLossDraws = 128

// entrant is a candidate of a race.
type entrant struct {
	choice  raceChoice
	effects []int // without its own
	own     int   // its own effect; 0 until it has a second answer
	// items and scores are its answers, in the order in which they came.
	items  []int
	scores []float64
	asked  []bool // by item
}

// all returns its effects.
func (e *entrant) all() []int {
	if e.own == 0 {
		return e.effects
	}
	return append(slices.Clip(e.effects), e.own)
}

// racePull is an entrant that is to answer an item.
type racePull struct{ entrant, item int }

// raceAsk scores answers, in the order of the pulls.
type raceAsk func(pulls []racePull) ([]float64, error)

// race is a search for the best of many candidates by as few answers as possible. It knows
// nothing of language models. Its answers come in batches, each chosen by what the ones before
// said, so that nothing depends on which answer of a batch is the first.
type race struct {
	*raceField
	rules raceRules
	model *factor.Model
	post  *factor.Posterior
	rng   *rand.Rand
	order []int // of the items
	next  int   // position in the order
	calls int
	fit   int // answers at the last fit of the scales
	// unit is what scores are divided by, so that they are about 1 at most.
	unit float64
	loss float64 // that stopping now is expected to cost
}

// newRace returns a race between the candidates of a field on some items.
func newRace(slots []raceSlot, items int, rules raceRules, seed uint64) (*race, error) {
	model, err := factor.New(rules.prior, items)
	if err != nil {
		return nil, err
	}
	r := &race{rules: rules, model: model, rng: rand.New(rand.NewPCG(seed, 0x72616365)), unit: 1, loss: math.NaN()}
	r.raceField = newRaceField(slots, items, model)
	r.order = r.rng.Perm(items)
	return r, nil
}

// run races until a rule ends it and says which. After each batch it calls each with the
// entrant that is to be recommended. own is the entrant that is the program as it is.
func (r *race) run(own int, ask raceAsk, each func(leader int)) (string, error) {
	pulls := r.opening(own)
	for {
		scores, err := ask(pulls)
		if err != nil {
			return "", err
		}
		if err := r.observe(pulls, scores); err != nil {
			return "", err
		}
		lead := r.leader()
		each(lead)
		if r.alone() {
			return "there is only one candidate", nil
		}
		draws, err := r.post.Sample(raceLossDraws, 1, r.rng.NormFloat64)
		if err != nil {
			return "", err
		}
		r.loss = r.expectedLoss(draws, lead)
		if r.rules.limit > 0 && r.loss*r.unit <= r.rules.limit && r.calls >= r.rules.least {
			return fmt.Sprintf("stopping is expected to lose no more than %.4f", r.loss*r.unit), nil
		}
		if r.calls >= r.rules.calls {
			return fmt.Sprintf("the budget of %d answers is spent; stopping is expected to lose %.4f", r.rules.calls, r.loss*r.unit), nil
		}
		if pulls, err = r.batch(); err != nil {
			return "", err
		}
		if len(pulls) == 0 {
			return "all answers that count are known", nil
		}
	}
}

// opening has the program as it is answer some items.
func (r *race) opening(own int) []racePull {
	var pulls []racePull
	for _, item := range r.order[:min(r.rules.heat, len(r.order), r.rules.calls)] {
		pulls = append(pulls, r.pull(own, item))
	}
	return pulls
}

func (r *race) pull(entrant, item int) racePull {
	r.entrants[entrant].asked[item] = true
	return racePull{entrant, item}
}

// observe learns from answers.
func (r *race) observe(pulls []racePull, scores []float64) error {
	if r.calls == 0 {
		for _, y := range scores {
			r.unit = max(r.unit, math.Abs(y))
		}
	}
	for i, p := range pulls {
		e, y := r.entrants[p.entrant], scores[i]/r.unit
		if len(e.items) == 1 {
			// With one answer its own effect would be noise; now it gets one.
			r.model.Forget(e.effects, e.items[0], e.scores[0]/r.unit)
			e.own = r.model.Add(ownEffect)
			r.model.Observe(e.all(), e.items[0], e.scores[0]/r.unit)
		}
		r.model.Observe(e.all(), p.item, y)
		e.items, e.scores = append(e.items, p.item), append(e.scores, scores[i])
	}
	r.calls += len(pulls)
	if r.calls >= max(r.rules.refit, 2*r.fit) {
		r.fit = r.calls
		if err := r.model.Refit(r.rules.prior, raceSpreads(), raceRefitStep); err != nil {
			return err
		}
	}
	var err error
	r.post, err = r.model.Posterior()
	return err
}

// raceRefitStep is the factor by which scales move.
const raceRefitStep = 1.25

// raceSpreads says how near scales stay to the ones that a race starts from: the standard
// deviations of their logarithms. How much of a candidate its parts do not explain is the
// least known.
func raceSpreads() factor.Prior {
	p := factor.Prior{Scales: make([]float64, effectGroups), Item: 0.7, Noise: 0.7}
	for i := range p.Scales {
		p.Scales[i] = 0.7
	}
	p.Scales[ownEffect] = 1
	return p
}

// batch chooses who answers what next. One is the candidate that the posterior mean puts
// first; the others are the best of a draw of the posterior each. Those of a heat answer the
// same item of the common order, where they have not done so.
func (r *race) batch() ([]racePull, error) {
	n := min(r.rules.batch, r.rules.calls-r.calls)
	draws, err := r.post.Sample(n, r.rules.spread, r.rng.NormFloat64)
	if err != nil {
		return nil, err
	}
	var pulls []racePull
	for k := 0; k < n; {
		heat := make(map[int]bool, r.rules.heat)
		var who []int
		for range min(r.rules.heat, n-k) {
			var e int
			if k < r.rules.leaders {
				e = r.best(meanOf{r.post}, heat)
			} else {
				e = r.best(r.drawn(draws, k), heat)
			}
			k++
			if e >= 0 {
				heat[e] = true
				who = append(who, e)
			}
		}
		first := r.next
		r.next++
		for _, e := range who {
			if item := r.unasked(e, first); item >= 0 {
				pulls = append(pulls, r.pull(e, item))
			}
		}
	}
	return pulls, nil
}

// unasked returns the first item from a position of the order on that an entrant has not
// answered, -1 for none.
func (r *race) unasked(entrant, from int) int {
	for i := range r.order {
		if item := r.order[(from+i)%len(r.order)]; !r.entrants[entrant].asked[item] {
			return item
		}
	}
	return -1
}

// leader returns the entrant with the best posterior mean of those that have answered.
func (r *race) leader() int {
	lead, best := -1, math.Inf(-1)
	for i, e := range r.entrants {
		if len(e.items) == 0 {
			continue
		}
		if m := r.post.Mean(e.all()); m > best {
			lead, best = i, m
		}
	}
	return lead
}

// expectedLoss is the mean over draws of how much better the best candidate is than the
// leader.
func (r *race) expectedLoss(draws *factor.Draws, lead int) float64 {
	sum := 0.0
	for k := range draws.Len() {
		d := drawOf{draws, k, nil}
		_, _, best := r.top(d, nil, false)
		sum += max(0, best-d.value(r.entrants[lead]))
	}
	return sum / float64(draws.Len())
}

// score returns an entrant's posterior mean and standard deviation, in the unit of the scores.
func (r *race) score(entrant int) (mean, sd float64, err error) {
	e := r.entrants[entrant]
	sd, err = r.post.SD(e.all())
	return r.post.Mean(e.all()) * r.unit, sd * r.unit, err
}

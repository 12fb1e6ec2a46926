package optimize

import "github.com/whetgo/whet/internal/pyrand"

// triesPerTrace is how many answers are reckoned with for one that the metric accepts.
const triesPerTrace = 2

// measuring returns how many runs of the program measuring a candidate takes: with
// calibration it is run on the training examples, and scored once more with its biases.
func (s *session) measuring() int {
	n := s.sizes[valSet]
	if s.options.calibrate == nil {
		return n
	}
	if s.options.val != nil {
		n += s.sizes[trainSet]
	}
	return n + s.sizes[valSet]
}

// runs returns how many runs of the program are reckoned with to bootstrap that many demos.
func (c bootstrapConfig) runs(s *session) int {
	return min(triesPerTrace*c.bootstrapped, s.sizes[trainSet]*max(c.rounds, 1))
}

// singlePlan is that of single.
func (s *session) singlePlan() int {
	if s.options.val == nil && s.options.calibrate == nil {
		return 0
	}
	return s.sizes[valSet] + s.measuring()
}

func (o LabeledFewShot) plan(s *session) plan { return plan{searching: s.singlePlan()} }

func (o BootstrapFewShot) plan(s *session) plan {
	return plan{bootstrapping: o.config().runs(s), searching: s.singlePlan()}
}

func (o RandomSearch) plan(s *session) plan {
	var p plan
	if !s.isReset() {
		p.searching = s.sizes[valSet]
	}
	p.searching += (o.candidates() + 3) * s.measuring()
	cfg := o.config()
	if most := cfg.bootstrapped; most > 0 {
		p.bootstrapping = cfg.runs(s)
		for seed := range o.candidates() {
			cfg.bootstrapped = pyrand.New(int64(seed)).Int(1, most)
			p.bootstrapping += cfg.runs(s)
		}
	}
	return p
}

func (o Calibrate) plan(s *session) plan {
	p := plan{searching: 2 * s.sizes[valSet]} // without and with biases
	for _, st := range s.own {
		if len(st.Biases) > 0 {
			p.searching += s.sizes[valSet]
			break
		}
	}
	if s.options.val != nil {
		p.searching += s.sizes[trainSet]
	}
	return p
}

// shownDemos returns how many demos an optimizer shows in a prompt at most, and whether it
// tells.
func shownDemos(opt Optimizer) (int, bool) {
	switch o := opt.(type) {
	case interface{ k() int }:
		return o.k(), true
	case interface{ config() bootstrapConfig }:
		cfg := o.config()
		return max(cfg.bootstrapped, cfg.labeled), true
	case interface{ maxDemos() int }:
		return o.maxDemos(), true
	}
	return 0, false
}

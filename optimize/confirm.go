package optimize

import (
	"fmt"
	"math"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/metric"
)

// confirmLevel is the level of the test that confirms a winner, two-sided.
const confirmLevel = 0.05

// Confirmation compares a winner with the program as it was on examples that did not choose
// it. The decision is by P, an exact paired test; the interval of the difference is there to
// be read.
type Confirmation struct {
	metric.Difference
	// P is the two-sided p-value of the hypothesis that the two programs are equally good:
	// see evaluate.PairedTest. Test names the test.
	P    float64
	Test string
	// Rows is the number of examples.
	Rows int
}

// Gain reports whether the winner is better, at the level of 5 %.
func (c *Confirmation) Gain() bool { return c.Value > 0 && c.P <= confirmLevel }

// String returns, for example, "0.552 to 0.661: +0.109, 95 % interval 0.051 to 0.166, p = 0.0003
// (McNemar's exact test, 500 examples)".
func (c *Confirmation) String() string {
	return fmt.Sprintf("%s, p = %.2g (%s, %d examples)", c.Difference, c.P, c.Test, c.Rows)
}

func confirm[In, Out any](before, after *evaluate.Report[In, Out]) (*Confirmation, error) {
	d, err := evaluate.Compare(before, after, metric.Resampling{})
	if err != nil {
		return nil, err
	}
	t, err := evaluate.PairedTest(before, after, metric.Resampling{})
	if err != nil {
		return nil, err
	}
	return &Confirmation{Difference: d, P: t.P, Test: t.Test, Rows: before.Ran()}, nil
}

// keepOut keeps a share of the validation examples, at least some of them, from the search
// to confirm its winner, unless [Confirm] gave examples for that. Which ones is drawn by the
// seed. Where validation examples are the training ones, these lose them, too. It reports
// whether there are fresh examples now: too few validation examples, less than twice the
// least, stay as they are.
func (s *session) keepOut(share float64, least int, seed int64) bool {
	if s.sizes[freshSet] > 0 {
		return true
	}
	n := s.sizes[valSet]
	if n < 2*least {
		return false
	}
	k := max(least, int(math.Round(share*float64(n))))
	order := identityOrder(n)
	pyrand.Shuffle(pyrand.New(seed), order)
	fresh := make([]bool, n)
	for _, i := range order[:k] {
		fresh[i] = true
	}
	var out, rest []int
	for i := range n {
		if fresh[i] {
			out = append(out, i)
		} else {
			rest = append(rest, i)
		}
	}
	s.task.holdOut(out, rest, !s.apart)
	s.result.Rows = s.sizes[valSet]
	return true
}

// resplit makes rows of the training examples the validation set.
func (s *session) resplit(train, val []int) {
	s.task.resplit(train, val)
	s.apart = true
	s.result.Rows = s.sizes[valSet]
}

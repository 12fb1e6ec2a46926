package metric

import (
	"encoding/json"
	"slices"
)

// Confusion is a confusion matrix over a fixed label set, with one more column
// for rows that failed or whose answer is not in the set. Make it with
// [NewConfusion] or [ConfusionOf]; it is not safe for concurrent changes.
type Confusion struct {
	set *labelSet
	n   *counts
}

// NewConfusion makes an empty matrix. The labels must be distinct, and at least
// one is needed.
func NewConfusion(labels ...string) (*Confusion, error) {
	set, err := makeLabelSet(slices.Clone(labels))
	if err != nil {
		return nil, err
	}
	return &Confusion{set, newCounts(len(labels))}, nil
}

// ConfusionOf counts outcomes. Arguments and errors are those of [MacroF1].
func ConfusionOf[Out any, L ~string](outcomes []Outcome[Out], label func(Out) L, labels ...L) (*Confusion, error) {
	set, err := newLabelSet(labels)
	if err != nil {
		return nil, err
	}
	truth, got, err := indexes(set, outcomes, label)
	if err != nil {
		return nil, err
	}
	c := &Confusion{set, newCounts(len(set.labels))}
	for i := range truth {
		c.n.add(truth[i], got[i])
	}
	return c, nil
}

// Add counts one row. An answer outside the label set goes into the last column;
// a truth outside it is a [*LabelError].
func (c *Confusion) Add(truth, got string) error {
	t, ok := c.set.index[truth]
	if !ok {
		return &LabelError{Label: truth, Known: c.set.labels}
	}
	g, ok := c.set.index[got]
	if !ok {
		g = c.n.k
	}
	c.n.add(t, g)
	return nil
}

// AddFailed counts one row that has no answer.
func (c *Confusion) AddFailed(truth string) error {
	t, ok := c.set.index[truth]
	if !ok {
		return &LabelError{Label: truth, Known: c.set.labels}
	}
	c.n.add(t, c.n.k)
	return nil
}

// Labels returns the label set in order.
func (c *Confusion) Labels() []string { return slices.Clone(c.set.labels) }

// Count returns how many rows of the true label got the other one; 0 for labels
// outside the set.
func (c *Confusion) Count(truth, got string) int {
	t, ok := c.set.index[truth]
	g, ok2 := c.set.index[got]
	if !ok || !ok2 {
		return 0
	}
	return c.n.at(t, g)
}

// Failed returns how many rows of the true label have no valid answer.
func (c *Confusion) Failed(truth string) int {
	if t, ok := c.set.index[truth]; ok {
		return c.n.at(t, c.n.k)
	}
	return 0
}

// Total returns the number of rows, and Correct those with the right answer.
func (c *Confusion) Total() int { return c.n.total() }

// Correct returns the number of rows with the right answer.
func (c *Confusion) Correct() int { return c.n.correct() }

// Accuracy returns Correct/Total; 0 without rows.
func (c *Confusion) Accuracy() float64 { return c.n.accuracy() }

// BalancedAccuracy returns the mean recall of the classes that occur in the
// truth; 0 without rows.
func (c *Confusion) BalancedAccuracy() float64 { return c.n.balancedAccuracy() }

// PRF is precision, recall and F1 of a class, or an average of them.
//
// With tp, fp and fn the true positives, false positives and false negatives:
// precision tp/(tp+fp), recall tp/(tp+fn), F1 2tp/(2tp+fp+fn).
type PRF struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	// Undefined says that a denominator was zero and that 0 stands in for what
	// cannot be computed: the class was never answered, or never true.
	Undefined bool `json:"undefined,omitempty"`
}

// Class holds the figures of one class.
type Class struct {
	Label string `json:"label"`
	PRF
	// Support is the number of rows whose truth is the class, Predicted the number
	// of answers that name it.
	Support   int `json:"support"`
	Predicted int `json:"predicted"`
}

// Classes returns the figures of each class in the order of the label set.
func (c *Confusion) Classes() []Class {
	out := make([]Class, c.n.k)
	for i, l := range c.set.labels {
		s, p := c.n.support(i), c.n.predicted(i)
		out[i] = Class{
			Label: l, Support: s, Predicted: p,
			PRF: PRF{c.n.precision(i), c.n.recall(i), c.n.f1(i), s == 0 || p == 0},
		}
	}
	return out
}

// Macro returns the means over all classes of the label set: every class counts
// the same. The F1 is the mean of the F1s, not the F1 of the means.
func (c *Confusion) Macro() PRF {
	return c.average(func(Class) float64 { return 1 })
}

// Weighted returns the means over the classes weighted by their support.
func (c *Confusion) Weighted() PRF {
	return c.average(func(cl Class) float64 { return float64(cl.Support) })
}

func (c *Confusion) average(weight func(Class) float64) PRF {
	var out PRF
	sum := 0.0
	for _, cl := range c.Classes() {
		w := weight(cl)
		sum += w
		// The conversions forbid a fused multiply-add, which some machines have.
		out.Precision += float64(w * cl.Precision)
		out.Recall += float64(w * cl.Recall)
		out.F1 += float64(w * cl.F1)
		out.Undefined = out.Undefined || (w > 0 && cl.Undefined)
	}
	if sum == 0 {
		return PRF{Undefined: true}
	}
	out.Precision /= sum
	out.Recall /= sum
	out.F1 /= sum
	return out
}

// Micro returns the figures of the pooled counts. All three equal the accuracy
// when no row failed; a failed row is a false negative and no false positive.
func (c *Confusion) Micro() PRF {
	tp, predicted, support := c.n.correct(), 0, c.n.total()
	for i := range c.n.k {
		predicted += c.n.predicted(i)
	}
	return PRF{ratio(tp, predicted), ratio(tp, support), ratio(2*tp, predicted+support), predicted == 0 || support == 0}
}

// MarshalJSON writes labels, counts (rows are the truth; the last column is
// "failed"), and all figures. The output is the same for the same counts, byte
// for byte.
func (c *Confusion) MarshalJSON() ([]byte, error) {
	rows := make([][]int, c.n.k)
	for i := range rows {
		rows[i] = c.n.cells[i*(c.n.k+1) : (i+1)*(c.n.k+1)]
	}
	return json.Marshal(struct {
		Labels   []string `json:"labels"`
		Counts   [][]int  `json:"counts"`
		Total    int      `json:"total"`
		Classes  []Class  `json:"classes"`
		Macro    PRF      `json:"macro"`
		Micro    PRF      `json:"micro"`
		Weighted PRF      `json:"weighted"`
		Accuracy float64  `json:"accuracy"`
		Balanced float64  `json:"balanced_accuracy"`
	}{c.set.labels, rows, c.Total(), c.Classes(), c.Macro(), c.Micro(), c.Weighted(), c.Accuracy(), c.BalancedAccuracy()})
}

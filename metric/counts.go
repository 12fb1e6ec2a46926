package metric

// counts is a confusion matrix of k classes: rows are the truth; the last of the
// k+1 columns holds failed and invalid answers.
type counts struct {
	k     int
	cells []int
}

func newCounts(k int) *counts { return &counts{k, make([]int, k*(k+1))} }

func (c *counts) add(truth, got int)    { c.cells[truth*(c.k+1)+got]++ }
func (c *counts) at(truth, got int) int { return c.cells[truth*(c.k+1)+got] }

// support is the number of rows of the class.
func (c *counts) support(class int) int {
	n := 0
	for j := range c.k + 1 {
		n += c.at(class, j)
	}
	return n
}

// predicted is the number of answers that name the class.
func (c *counts) predicted(class int) int {
	n := 0
	for i := range c.k {
		n += c.at(i, class)
	}
	return n
}

func (c *counts) total() int {
	n := 0
	for _, v := range c.cells {
		n += v
	}
	return n
}

func (c *counts) correct() int {
	n := 0
	for i := range c.k {
		n += c.at(i, i)
	}
	return n
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (c *counts) precision(class int) float64 { return ratio(c.at(class, class), c.predicted(class)) }
func (c *counts) recall(class int) float64    { return ratio(c.at(class, class), c.support(class)) }
func (c *counts) f1(class int) float64 {
	// 2tp + fp + fn = predicted + support
	return ratio(2*c.at(class, class), c.predicted(class)+c.support(class))
}

func (c *counts) accuracy() float64 { return ratio(c.correct(), c.total()) }

func (c *counts) macroF1() float64 {
	sum := 0.0
	for i := range c.k {
		sum += c.f1(i)
	}
	return sum / float64(c.k)
}

func (c *counts) balancedAccuracy() float64 {
	sum, n := 0.0, 0
	for i := range c.k {
		if c.support(i) > 0 {
			sum += c.recall(i)
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

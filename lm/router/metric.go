package router

// deciles is how many thresholds of equal counts RouteLLM takes.
const deciles = 10

// gap is how much better the strong side is.
func (c *Curve) gap() (float64, error) {
	gap := c.Strong().Quality - c.Weak().Quality
	if gap <= slack {
		return 0, invalid("the strong side has the quality %.4f and the weak one %.4f: without a gap there is none to recover, so that PGR, APGR and CPT are not defined", c.Strong().Quality, c.Weak().Quality)
	}
	return gap, nil
}

// PGR is the performance gap recovered at a threshold, as RouteLLM defines it:
//
//	(quality - quality of the weak side) / (quality of the strong side - quality of the weak side)
//
// It is 0 for the weak side alone and 1 for the strong one, and more where the router sends
// away just what the weak side does better. A strong side that is no better than the weak one
// is an error of kind lm.ErrInvalidRequest, here and for [Curve.APGR] and [Curve.CPT].
func (c *Curve) PGR(threshold float64) (float64, error) {
	gap, err := c.gap()
	if err != nil {
		return 0, err
	}
	return (c.At(threshold).Quality - c.Weak().Quality) / gap, nil
}

// APGR is the average performance gap recovered: the area under PGR over the share of the
// strong side, as RouteLLM takes it, by trapeziums over ten thresholds that divide the
// outcomes into equal counts, as far as equal scores allow. A random score has 0.5.
func (c *Curve) APGR() (float64, error) {
	points := []Point{c.Weak()}
	for k := 1; k < deciles; k++ {
		if p := c.nearest(float64(k) / deciles); p.Share > points[len(points)-1].Share {
			points = append(points, p)
		}
	}
	if last := points[len(points)-1]; last.Share < 1 {
		points = append(points, c.Strong())
	}
	return c.recovered(points)
}

// APGRExact is [Curve.APGR] over every threshold and not ten: with AUC for the area under
// quality over the share, (AUC - AUC of the weak side) / (AUC of the strong side - AUC of
// the weak side), where a side alone has the same quality for each share.
func (c *Curve) APGRExact() (float64, error) { return c.recovered(c.points) }

func (c *Curve) recovered(points []Point) (float64, error) {
	gap, err := c.gap()
	if err != nil {
		return 0, err
	}
	return (area(points) - c.Weak().Quality) / gap, nil
}

// AUC is the area under quality over the share of the strong side, by trapeziums over every
// threshold: the mean quality over all shares. Among equal scores that is what chance would
// do.
func (c *Curve) AUC() float64 { return area(c.points) }

func area(points []Point) float64 {
	sum := 0.0
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		sum += (b.Share - a.Share) * (a.Quality + b.Quality) / 2
	}
	return sum
}

// CPT is the call-performance threshold: the smallest share of the strong side with which
// PGR reaches a wished one, for example 0.8 for RouteLLM's CPT(80%), on the straight lines
// between the points of the curve. A PGR that the curve does not reach, or that is no number,
// is an error of kind lm.ErrInvalidRequest; 1 is always reached, and less than 0 needs none.
func (c *Curve) CPT(pgr float64) (float64, error) {
	gap, err := c.gap()
	if err != nil {
		return 0, err
	}
	most := 0.0
	for i, p := range c.points {
		got := (p.Quality - c.Weak().Quality) / gap
		most = max(most, got)
		if !(got >= pgr-slack) {
			continue
		}
		if i == 0 {
			return 0, nil
		}
		before := c.points[i-1]
		from := (before.Quality - c.Weak().Quality) / gap
		return before.Share + (p.Share-before.Share)*min(1, (pgr-from)/(got-from)), nil
	}
	return 0, invalid("the PGR of no threshold reaches %v; the most is %.4f", pgr, most)
}

package optimize

import "math"

// smooth averages values along one axis of a grid by a Gaussian of the fit's
// width: n points, stride apart; what lies beyond an end is as the end. grid
// gives the points' places.
func (f *biasFit) smooth(values []float64, n, stride int, grid []float64) []float64 {
	if f.width == 0 || n < 2 {
		return values
	}
	step := grid[1] - grid[0]
	radius := int(math.Ceil(3 * f.width / step))
	weights := make([]float64, radius+1)
	total := 0.0
	for i := range weights {
		z := float64(i) * step / f.width
		weights[i] = math.Exp(-z * z / 2)
		total += weights[i]
		if i > 0 {
			total += weights[i]
		}
	}
	out := make([]float64, len(values))
	for at := range values {
		pos := at / stride % n
		base := at - pos*stride
		sum := weights[0] * values[at]
		for i := 1; i <= radius; i++ {
			sum += weights[i] * (values[base+max(pos-i, 0)*stride] + values[base+min(pos+i, n-1)*stride])
		}
		out[at] = sum / total
	}
	return out
}

// middle returns the index of the highest value of a grid with rows of n points.
// Of several as high it is the one nearest to their centre: the one with the
// largest margin.
func middle(values []float64, n int) int {
	top := math.Inf(-1)
	for _, v := range values {
		top = max(top, v)
	}
	var cx, cy, count float64
	for i, v := range values {
		if v >= top-tiny {
			cx += float64(i / n)
			cy += float64(i % n)
			count++
		}
	}
	cx, cy = cx/count, cy/count
	best, bestDistance := 0, math.Inf(1)
	for i, v := range values {
		if v >= top-tiny {
			if d := math.Hypot(float64(i/n)-cx, float64(i%n)-cy); d < bestDistance {
				best, bestDistance = i, d
			}
		}
	}
	return best
}

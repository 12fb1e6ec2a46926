package optimize

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The chart's measures, in pixels.
const (
	chartWidth, chartHeight = 720, 280
	chartLeft, chartRight   = 56, 704
	chartTop, chartBottom   = 16, 230
)

// chart is a line in a frame, and points on it.
type chart struct {
	Width, Height            int
	Left, Right, Bottom      int
	TextLeft, TextBottom     int
	Label, XLabel, Path      string
	XTicks, YTicks           []tick
	Dots                     []dot
	lowX, highX, lowY, highY float64
}

type tick struct{ At, TextAt, Label string }

type dot struct {
	X, Y, Title string
	Best        bool
}

// chartPoint is a point in the chart's own units.
type chartPoint struct {
	x, y  float64
	title string
	best  bool
}

// newChart draws points, joined by steps, in their order; nil where there are none.
func newChart(label, xLabel string, points []chartPoint) *chart {
	finite := points[:0:0]
	for _, p := range points {
		if !math.IsNaN(p.y) && !math.IsInf(p.y, 0) && !math.IsNaN(p.x) && !math.IsInf(p.x, 0) {
			finite = append(finite, p)
		}
	}
	if len(finite) == 0 {
		return nil
	}
	c := &chart{
		Width: chartWidth, Height: chartHeight, Left: chartLeft, Right: chartRight, Bottom: chartBottom,
		TextLeft: chartLeft - 8, TextBottom: chartBottom + 18, Label: label, XLabel: xLabel,
		lowX: finite[0].x, highX: finite[0].x, lowY: finite[0].y, highY: finite[0].y,
	}
	for _, p := range finite {
		c.lowX, c.highX = min(c.lowX, p.x), max(c.highX, p.x)
		c.lowY, c.highY = min(c.lowY, p.y), max(c.highY, p.y)
	}
	c.lowX, c.highX = widened(c.lowX, c.highX)
	c.lowY, c.highY = widened(c.lowY, c.highY)
	var path strings.Builder
	for i, p := range finite {
		x, y := c.x(p.x), c.y(p.y)
		if i == 0 {
			fmt.Fprintf(&path, "M%s %s", x, y)
		} else {
			fmt.Fprintf(&path, "H%sV%s", x, y)
		}
		c.Dots = append(c.Dots, dot{x, y, p.title, p.best})
	}
	c.Path = path.String()
	for _, v := range ticks(c.lowX, c.highX) {
		c.XTicks = append(c.XTicks, tick{At: c.x(v), Label: tickLabel(v)})
	}
	for _, v := range ticks(c.lowY, c.highY) {
		at := c.y(v)
		c.YTicks = append(c.YTicks, tick{At: at, TextAt: pixel(c.yAt(v) + 4), Label: tickLabel(v)})
	}
	return c
}

// widened returns a range that is not empty, nor so narrow that rounding would leave no
// number between its ticks.
func widened(low, high float64) (float64, float64) {
	if high-low > 1e-9*max(math.Abs(low), math.Abs(high)) {
		return low, high
	}
	half := max(math.Abs(low)/10, 0.05)
	return low - half, high + half
}

func (c *chart) x(v float64) string {
	return pixel(chartLeft + (chartRight-chartLeft)*(v-c.lowX)/(c.highX-c.lowX))
}

func (c *chart) y(v float64) string { return pixel(c.yAt(v)) }

func (c *chart) yAt(v float64) float64 {
	return chartBottom - (chartBottom-chartTop)*(v-c.lowY)/(c.highY-c.lowY)
}

func pixel(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// ticks returns a few round numbers in a range.
func ticks(low, high float64) []float64 {
	const about = 5
	raw := (high - low) / about
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*step >= raw {
			step *= m
			break
		}
	}
	var out []float64
	for k := math.Ceil(low/step - 1e-9); k*step <= high+1e-9*step; k++ {
		out = append(out, k*step)
	}
	return out
}

// tickLabel writes a round number without what a computer adds to it.
func tickLabel(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return thousands(int(v))
	}
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
}

// curveChart draws the score of the best so far.
func (r *Result) curveChart() *chart {
	var points []chartPoint
	for _, p := range r.Curve {
		title := fmt.Sprintf("%.3f after %s calls: the program as it was", p.Score, thousands(p.Calls.Requested))
		if p.Trial >= 0 && p.Trial < len(r.Trials) {
			title = fmt.Sprintf("%.3f after %s calls: trial %d, %s", p.Score, thousands(p.Calls.Requested), p.Trial+1, cutText(r.Trials[p.Trial].Name, longestNote))
		}
		points = append(points, chartPoint{float64(p.Calls.Requested), p.Score, title, false})
	}
	if n := len(points); n > 0 {
		points[n-1].best = true
	}
	return newChart("score of the best so far", "calls", points)
}

// frontChart draws the candidates of [Result.Front].
func (r *Result) frontChart() *chart {
	var points []chartPoint
	for _, p := range r.Front {
		title := fmt.Sprintf("%.3f with %.0f tokens: trial %d", p.Score, p.Tokens, p.Trial+1)
		points = append(points, chartPoint{p.Tokens, p.Score, title, p.Trial == r.Winner})
	}
	return newChart("score and length of the prompt", "tokens of the prompt", points)
}

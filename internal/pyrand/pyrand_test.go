package pyrand_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/whetgo/whet/internal/pyrand"
)

func load(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

func numbers(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func draw[T any](n int, f func() T) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = f()
	}
	return s
}

func same[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestGolden checks against CPython's numbers, each list drawn from a fresh
// generator.
func TestGolden(t *testing.T) {
	t.Parallel()
	var golden struct {
		Seeds map[string]struct {
			Random5  []float64 `json:"random5"`
			Bits     []uint64  `json:"getrandbits32x4"`
			Randint4 []int     `json:"randint_1_4_x10"`
			Randint9 []int     `json:"randint_0_1e9_x3"`
			Shuffle  []int     `json:"shuffle20"`
			S12      []int     `json:"sample_range12_k4"`
			S20      []int     `json:"sample_range20_k16"`
			S100     []int     `json:"sample_range100_k8"`
			S300     []int     `json:"sample_range300_k35"`
			S1000    []int     `json:"sample_range1000_k100"`
			Choice   []string  `json:"choice_of6_x10"`
			Weighted []int     `json:"choices_w_x10"`
			Range7   []int     `json:"randrange7_x10"`
		} `json:"seeds"`
	}
	load(t, "testdata/python_random.json", &golden)
	if len(golden.Seeds) != 5 {
		t.Fatalf("the golden file has %d seeds, want 5", len(golden.Seeds))
	}
	for seed, want := range golden.Seeds {
		t.Run(seed, func(t *testing.T) {
			t.Parallel()
			n, err := strconv.ParseInt(seed, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			fresh := func() *pyrand.Rand { return pyrand.New(n) }
			r := fresh()
			same(t, "random", draw(5, r.Float64), want.Random5)
			r = fresh()
			same(t, "getrandbits", draw(4, func() uint64 { return r.Bits(32) }), want.Bits)
			r = fresh()
			same(t, "randint 1..4", draw(10, func() int { return r.Int(1, 4) }), want.Randint4)
			r = fresh()
			same(t, "randint 0..1e9", draw(3, func() int { return r.Int(0, 1e9) }), want.Randint9)
			r = fresh()
			same(t, "randrange 7", draw(10, func() int { return r.Below(7) }), want.Range7)
			s := numbers(20)
			pyrand.Shuffle(fresh(), s)
			same(t, "shuffle", s, want.Shuffle)
			same(t, "sample 12", pyrand.Sample(fresh(), numbers(12), 4), want.S12)
			same(t, "sample 20", pyrand.Sample(fresh(), numbers(20), 16), want.S20)
			same(t, "sample 100", pyrand.Sample(fresh(), numbers(100), 8), want.S100)
			same(t, "sample 300", pyrand.Sample(fresh(), numbers(300), 35), want.S300)
			same(t, "sample 1000", pyrand.Sample(fresh(), numbers(1000), 100), want.S1000)
			r = fresh()
			same(t, "choice", draw(10, func() string { return pyrand.Choice(r, []string{"a", "b", "c", "d", "e", "f"}) }), want.Choice)
			same(t, "choices", pyrand.Choices(fresh(), numbers(3), []float64{0.2, 0.3, 0.5}, 10), want.Weighted)
		})
	}
}

// TestGoldenMore checks large and negative seeds, wide numbers and both sides of
// sample's limit.
func TestGoldenMore(t *testing.T) {
	t.Parallel()
	var golden struct {
		Cases []struct {
			Seed       string
			Bits       [][2]any
			Below      [][2]int
			Randint    []int
			Sample     [][3]json.RawMessage
			Choices    []int
			Weighted   []int
			Random2001 float64
		}
	}
	load(t, "testdata/python_random_more.json", &golden)
	if len(golden.Cases) != 10 {
		t.Fatalf("the golden file has %d cases, want 10", len(golden.Cases))
	}
	for _, want := range golden.Cases {
		t.Run(want.Seed, func(t *testing.T) {
			t.Parallel()
			fresh := func() *pyrand.Rand {
				if n, err := strconv.ParseInt(want.Seed, 10, 64); err == nil {
					return pyrand.New(n)
				}
				n, err := strconv.ParseUint(want.Seed, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				return pyrand.NewUint64(n)
			}
			r := fresh()
			for _, b := range want.Bits {
				k, _ := b[0].(float64)
				if got := strconv.FormatUint(r.Bits(int(k)), 10); got != b[1] {
					t.Errorf("getrandbits(%v) = %s, want %s", k, got, b[1])
				}
			}
			r = fresh()
			for _, b := range want.Below {
				if got := r.Below(b[0]); got != b[1] {
					t.Errorf("randrange(%d) = %d, want %d", b[0], got, b[1])
				}
			}
			r = fresh()
			same(t, "randint", draw(8, func() int { return r.Int(-5, 5) }), want.Randint)
			for _, s := range want.Sample {
				var n, k int
				var list []int
				for i, p := range []any{&n, &k, &list} {
					if err := json.Unmarshal(s[i], p); err != nil {
						t.Fatal(err)
					}
				}
				same(t, "sample", pyrand.Sample(fresh(), numbers(n), k), list)
			}
			r = fresh()
			same(t, "choices", pyrand.Choices(r, numbers(7), nil, 6), want.Choices)
			same(t, "choices with weights", pyrand.Choices(r, numbers(4), []float64{0.5, 0, 2, 1.5}, 12), want.Weighted)
			r = fresh()
			if got := draw(2001, r.Float64)[2000]; got != want.Random2001 {
				t.Errorf("the 2001st number is %v, want %v", got, want.Random2001)
			}
		})
	}
}

// TestEdges checks what is documented where Python raises.
func TestEdges(t *testing.T) {
	t.Parallel()
	r := pyrand.New(3)
	if r.Below(0) != 0 || r.Below(-1) != 0 || r.Int(4, 3) != 4 || r.Bits(0) != 0 || pyrand.Choice(r, []string(nil)) != "" {
		t.Error("an impossible draw gave something")
	}
	if got := pyrand.Sample(r, []int{1}, -1); len(got) != 0 {
		t.Errorf("a sample of -1 is %v", got)
	}
	if pyrand.Choices(r, []int(nil), nil, 1) != nil || pyrand.Choices(r, []int{1}, []float64{0}, 1) != nil || pyrand.Choices(r, []int{1}, []float64{1, 2}, 1) != nil {
		t.Error("impossible choices gave something")
	}
	if got, want := r.Uint32(), pyrand.New(3).Uint32(); got != want {
		t.Error("an impossible draw drew something")
	}
	if got := len(pyrand.Sample(r, []int{1, 2}, 5)); got != 2 {
		t.Errorf("a sample of more than all has %d elements", got)
	}
	if f := pyrand.New(math.MinInt64).Float64(); f < 0 || f >= 1 {
		t.Errorf("got %v", f)
	}
}

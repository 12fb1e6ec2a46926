package pyrand

import "sort"

// Shuffle puts a slice into random order, in place, as Python's shuffle.
func Shuffle[T any](r *Rand, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := r.Below(i + 1)
		s[i], s[j] = s[j], s[i]
	}
}

// Sample returns k elements at different positions of s in the order in which
// they were drawn, as Python's sample. Where Python raises because k is negative
// or more than there are, it returns none or all.
func Sample[T any](r *Rand, s []T, k int) []T {
	n := len(s)
	k = max(0, min(k, n))
	out := make([]T, k)
	if n <= poolLimit(k) {
		pool := make([]T, n)
		copy(pool, s)
		for i := range out {
			j := r.Below(n - i)
			out[i] = pool[j]
			pool[j] = pool[n-i-1]
		}
		return out
	}
	drawn := make(map[int]bool, k)
	for i := range out {
		j := r.Below(n)
		for drawn[j] {
			j = r.Below(n)
		}
		drawn[j] = true
		out[i] = s[j]
	}
	return out
}

// poolLimit returns the length up to which sample draws from a shrinking copy of
// the sequence; from a longer one it draws positions until they are new. Python
// compares the memory that both take: 21 for a small set, and beyond five
// elements 4^ceil(log4(3k)) more.
func poolLimit(k int) int {
	limit := 21
	if k > 5 {
		table := 1
		for table < 3*k {
			table *= 4
		}
		limit += table
	}
	return limit
}

// Choice returns one element of s, as Python's choice. Of an empty slice, where
// Python raises, it returns the zero value and draws nothing.
func Choice[T any](r *Rand, s []T) T {
	if len(s) == 0 {
		var zero T
		return zero
	}
	return s[r.Below(len(s))]
}

// Choices returns k elements of s drawn with replacement, as Python's choices.
// With weights, as many as there are elements, an element is drawn in proportion
// to its weight; nil weights are equal ones. Where Python raises (an empty slice,
// another number of weights, a total that is not positive), it returns nil.
func Choices[T any](r *Rand, s []T, weights []float64, k int) []T {
	if len(s) == 0 || k < 0 {
		return nil
	}
	out := make([]T, k)
	if weights == nil {
		for i := range out {
			out[i] = s[int(r.Float64()*float64(len(s)))]
		}
		return out
	}
	if len(weights) != len(s) {
		return nil
	}
	total := 0.0
	cumulative := make([]float64, len(weights))
	for i, w := range weights {
		total += w
		cumulative[i] = total
	}
	if !(total > 0) {
		return nil
	}
	for i := range out {
		x := r.Float64() * total
		last := len(s) - 1
		out[i] = s[sort.Search(last, func(j int) bool { return x < cumulative[j] })]
	}
	return out
}

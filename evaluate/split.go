package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/whetgo/whet/module"
)

// Split divides a data set at random into two parts, of which the first gets the
// fraction (0 to 1) of the rows, rounded to the nearest whole number: see
// [SplitN].
func Split[In, Out any](data []module.Example[In, Out], fraction float64, seed uint64, key func(module.Example[In, Out]) string) (first, rest []module.Example[In, Out], err error) {
	if !(fraction >= 0 && fraction <= 1) {
		return nil, nil, fmt.Errorf("evaluate: a split at %v: want a fraction from 0 to 1", fraction)
	}
	return SplitN(data, int(math.Round(fraction*float64(len(data)))), seed, key)
}

// SplitN divides a data set at random into n rows and the rest. Both parts keep
// the order of the data, which itself is not changed.
//
// Rows with the same key form a class, and each part has its share of every
// class: a class of size s gives floor(n*s/len(data)) rows to the first part, and
// what is missing to n comes one each from the classes with the largest
// remainders, of equal ones from the class that appears first in the data. A nil
// key puts all rows into one class. Which rows of a class are taken depends on
// the seed alone (PCG, seeded with seed and 0, classes in order of appearance).
func SplitN[In, Out any](data []module.Example[In, Out], n int, seed uint64, key func(module.Example[In, Out]) string) (first, rest []module.Example[In, Out], err error) {
	if n < 0 || n > len(data) {
		return nil, nil, fmt.Errorf("evaluate: a split of %d of %d rows", n, len(data))
	}
	taken := make([]bool, len(data))
	rng := rand.New(rand.NewPCG(seed, 0))
	classes := strata(data, key)
	for i, k := range shares(classes, n, len(data)) {
		class := classes[i]
		rng.Shuffle(len(class), func(a, b int) { class[a], class[b] = class[b], class[a] })
		for _, row := range class[:k] {
			taken[row] = true
		}
	}
	for i, ex := range data {
		if taken[i] {
			first = append(first, ex)
		} else {
			rest = append(rest, ex)
		}
	}
	return first, rest, nil
}

// strata returns the row numbers of each class, classes in order of appearance.
func strata[In, Out any](data []module.Example[In, Out], key func(module.Example[In, Out]) string) [][]int {
	var classes [][]int
	where := map[string]int{}
	for i, ex := range data {
		k := ""
		if key != nil {
			k = key(ex)
		}
		c, ok := where[k]
		if !ok {
			c = len(classes)
			where[k] = c
			classes = append(classes, nil)
		}
		classes[c] = append(classes[c], i)
	}
	return classes
}

// shares divides n over the classes in proportion to their sizes.
func shares(classes [][]int, n, total int) []int {
	k := make([]int, len(classes))
	order := make([]int, len(classes))
	missing := n
	for i, c := range classes {
		k[i] = n * len(c) / total
		missing -= k[i]
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return n*len(classes[b])%total - n*len(classes[a])%total
	})
	for _, i := range order[:missing] {
		k[i]++
	}
	return k
}

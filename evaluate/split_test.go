package evaluate_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/module"
)

type row = module.Example[int, string]

func rows(classes string) []row {
	data := make([]row, len(classes))
	for i, c := range classes {
		data[i] = row{In: i, Out: string(c), ID: strconv.Itoa(i)}
	}
	return data
}

func class(r row) string { return r.Out }

func TestSplitKeepsShares(t *testing.T) {
	t.Parallel()
	data := rows(strings.Repeat("a", 60) + strings.Repeat("b", 30) + strings.Repeat("c", 10))
	for seed := range uint64(20) {
		first, rest, err := evaluate.Split(data, 0.7, seed, class)
		require.NoError(t, err)
		assert.Len(t, first, 70)
		assert.Len(t, rest, 30)
		count := map[string]int{}
		for _, r := range first {
			count[r.Out]++
		}
		assert.Equal(t, map[string]int{"a": 42, "b": 21, "c": 7}, count)
		seen := map[int]bool{}
		for _, part := range [][]row{first, rest} {
			last := -1
			for _, r := range part {
				assert.Greater(t, r.In, last, "the order of the data")
				assert.False(t, seen[r.In], "each row once")
				seen[r.In], last = true, r.In
			}
		}
		assert.Len(t, seen, 100)
	}
}

func TestSplitIsSeeded(t *testing.T) {
	t.Parallel()
	ids := func(seed uint64) string {
		first, _, err := evaluate.SplitN(rows("aabbabbabbab"), 6, seed, class)
		require.NoError(t, err)
		var s []string
		for _, r := range first {
			s = append(s, r.ID)
		}
		return strings.Join(s, " ")
	}
	assert.Equal(t, ids(1), ids(1))
	assert.NotEqual(t, ids(1), ids(2))
	assert.Equal(t, "0 1 3 5 7 9", ids(1), "part of the promise: the same seed gives the same split for ever")
}

func TestSplitRemainders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		classes string
		n       int
		want    string
	}{
		{"aaabbbccc", 4, "a2 b1 c1"}, // equal remainders: the first class gets it
		{"aaaab", 2, "a2 b0"},        // 1.6 and 0.4
		{"abcd", 0, "a0 b0 c0 d0"},
		{"abcd", 4, "a1 b1 c1 d1"},
	}
	for _, tt := range tests {
		first, rest, err := evaluate.SplitN(rows(tt.classes), tt.n, 3, class)
		require.NoError(t, err)
		assert.Len(t, first, tt.n)
		assert.Len(t, rest, len(tt.classes)-tt.n)
		var got []string
		for _, c := range "abcd" {
			if !strings.ContainsRune(tt.classes, c) {
				continue
			}
			n := 0
			for _, r := range first {
				if r.Out == string(c) {
					n++
				}
			}
			got = append(got, fmt.Sprintf("%c%d", c, n))
		}
		assert.Equal(t, tt.want, strings.Join(got, " "))
	}
}

func TestSplitEdges(t *testing.T) {
	t.Parallel()
	first, rest, err := evaluate.Split[int, string](nil, 0.5, 0, nil)
	require.NoError(t, err)
	assert.Empty(t, first)
	assert.Empty(t, rest)
	first, _, err = evaluate.Split(rows("abc"), 0.5, 0, nil)
	require.NoError(t, err)
	assert.Len(t, first, 2)
	_, _, err = evaluate.Split(rows("abc"), 1.5, 0, nil)
	require.ErrorContains(t, err, "1.5")
	_, _, err = evaluate.SplitN(rows("abc"), 4, 0, nil)
	require.ErrorContains(t, err, "4 of 3")
	_, _, err = evaluate.SplitN(rows("abc"), -1, 0, nil)
	require.Error(t, err)
}

package retry

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	const most = math.MaxInt64
	for _, tt := range []struct {
		base, max time.Duration
		n         int
		want      time.Duration
	}{
		{1, 10, 1, 1},
		{1, 10, 2, 2},
		{1, 10, 4, 8},
		{1, 10, 5, 10},
		{1, 10, 500, 10},
		{5, 10, 2, 10},
		{0, 10, 30, 0},
		{7, 7, 3, 7},
		{most - 1, most, 2, most},
		{most, most, 9, most},
		{most/2 + 1, most, 2, most},
		{1, most, 1_000_000, most},
	} {
		require.Equal(t, tt.want, backoff(tt.base, tt.max, tt.n), "%+v", tt)
	}
}

func TestDraw(t *testing.T) {
	t.Parallel()
	seed := uint64(1)
	for _, j := range []*jitter{newJitter(nil), newJitter(&seed)} {
		require.Zero(t, j.draw(0))
		require.Zero(t, j.draw(-1))
		seen := map[time.Duration]bool{}
		for range 200 {
			seen[j.draw(2)] = true
		}
		require.Equal(t, map[time.Duration]bool{0: true, 1: true, 2: true}, seen, "both ends are included")
		require.GreaterOrEqual(t, j.draw(math.MaxInt64), time.Duration(0))
	}
}

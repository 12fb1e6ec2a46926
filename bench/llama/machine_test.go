package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBusySeconds(t *testing.T) {
	t.Parallel()
	// user, nice, system, idle, iowait, irq, softirq, steal, guest
	got, err := busySeconds("cpu  100 200 300 9000 8000 1 2 4 50 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	require.NoError(t, err)
	assert.InDelta(t, 6.07, got, 1e-9)
	for _, bad := range []string{"", "intr 1 2 3 4 5 6 7 8 9\n", "cpu 1 2 3\n", "cpu  100 200 x 9000 8000 1 2 4 50 0\n"} {
		_, err := busySeconds(bad)
		assert.Error(t, err, "%q", bad)
	}
}

func TestProcessSeconds(t *testing.T) {
	t.Parallel()
	got, err := processSeconds("42 (a (b) 9 9 c) S 1 2 3 4 5 6 7 8 9 10 150 50 7 7 20 0\n")
	require.NoError(t, err)
	assert.InDelta(t, 2, got, 1e-9)
	for _, bad := range []string{"", "42 name S 1 2", "42 (name) S 1 2 3", "42 (n) S 1 2 3 4 5 6 7 8 9 10 x 50 7"} {
		_, err := processSeconds(bad)
		assert.Error(t, err, "%q", bad)
	}
}

func TestOtherCPU(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	before := cpuClock{at: start, busy: 50, mine: 10, known: true}
	after := cpuClock{at: start.Add(10 * time.Second), busy: 70, mine: 25, known: true}
	got := after.otherCPU(before)
	require.NotNil(t, got)
	assert.InDelta(t, 0.5, *got, 1e-9)

	after.mine = 31 // ticks are coarse, and no less than nothing is busy
	assert.InDelta(t, 0, *after.otherCPU(before), 0)
	after.known = false
	assert.Nil(t, after.otherCPU(before))
}

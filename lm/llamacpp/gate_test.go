package llamacpp

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm"
)

// Lines take turns, each in the order of arrival, and a place that is given up while it
// is granted goes to the next.
func TestGateTakesTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gate{free: 1}
		require.NoError(t, g.enter(t.Context()))
		var order []string
		in := make(chan string, 20)
		wait := func(ctx context.Context, name string) {
			go func() {
				if g.enter(ctx) == nil {
					in <- name
				}
			}()
			synctest.Wait()
		}
		busy, quiet := lm.WithQueue(t.Context()), lm.WithQueue(t.Context())
		for i := range 5 {
			wait(busy, fmt.Sprint("busy ", i))
		}
		gone, leave := context.WithCancel(quiet)
		wait(gone, "gone")
		wait(quiet, "quiet 0")
		wait(t.Context(), "plain 0")
		wait(quiet, "quiet 1")
		leave()
		synctest.Wait()
		for range 8 {
			g.leave()
			synctest.Wait()
			order = append(order, <-in)
		}
		require.Equal(t, []string{"busy 0", "quiet 0", "plain 0", "busy 1", "quiet 1", "busy 2", "busy 3", "busy 4"}, order)
		g.leave()
		require.Equal(t, 1, g.free)
		require.Empty(t, g.lines)
	})
}

// However callers come and go, no place is lost and no more are inside than may be.
func TestGateKeepsPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gate{free: 3}
		var inside, most atomic.Int32
		for i := range 400 {
			ctx, cancel := context.WithCancel(t.Context())
			if i%2 == 0 {
				ctx = lm.WithQueue(ctx)
			}
			go func() {
				defer cancel()
				if g.enter(ctx) != nil {
					return
				}
				if n := inside.Add(1); n > most.Load() {
					most.Store(n)
				}
				inside.Add(-1)
				g.leave()
			}()
			if i%3 == 0 {
				go cancel()
			}
		}
		synctest.Wait()
		require.Equal(t, 3, g.free)
		require.Empty(t, g.lines)
		require.LessOrEqual(t, most.Load(), int32(3))
	})
}

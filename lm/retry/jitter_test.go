package retry_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/lm/retry"
)

// Callers that a provider has told the same time do not come back at the same time.
func TestRetryAfterIsSpread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for seed := range uint64(20) {
			model := &flaky{errs: []error{busy(10 * time.Second)}}
			_, err := retry.With(retry.Seed(seed))(model).Generate(t.Context(), hello)
			require.NoError(t, err)
			wait := model.waits()[0]
			require.GreaterOrEqual(t, wait, 10*time.Second)
			require.LessOrEqual(t, wait, 10*time.Second+500*time.Millisecond)
			seen[wait] = true
		}
		require.Len(t, seen, 20)
	})
}

//go:build llamacpp

package llamacpp

import (
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

func TestSuite(t *testing.T) {
	onModels(t, func(t *testing.T, _ *testModel, m *Model) {
		lmtest.Suite(t, func(*testing.T) lm.LM { return m },
			lmtest.Capabilities{Messages: true, Prompt: true, Forms: true, Scores: true, Samples: true})
	})
}

package lmtest_test

import (
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

func TestSuiteOnScripted(t *testing.T) {
	t.Parallel()
	lmtest.Suite(t, func(*testing.T) lm.LM {
		return lmtest.Answer(func(*lm.Request) (string, error) { return "one two three", nil })
	}, lmtest.Capabilities{Messages: true, Prompt: true})
}

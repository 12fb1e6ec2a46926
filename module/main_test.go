package module_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The signatures that the tests share.
type (
	sms     struct{ Text string }
	verdict struct {
		Label string `desc:"one of the three labels" enum:"ham,spam,smishing"`
	}
	question struct{ Q string }
	answer   struct{ A string }
)

const smsInstructions = "Classify the SMS text message as ham, spam or smishing."

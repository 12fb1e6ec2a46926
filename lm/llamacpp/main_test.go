package llamacpp

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if shared != nil {
		shared()
	}
	if err := goleak.Find(); err != nil && code == 0 {
		os.Stderr.WriteString("goroutines leaked: " + err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

// shared closes the models that the tests share, where there are any.
var shared func()

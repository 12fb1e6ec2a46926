package optimize

import "context"

// None, in a field that counts something, means none of it, where the zero value
// means DSPy's default.
const None = -1

// DSPy's defaults.
const (
	defaultLabeled      = 16
	defaultBootstrapped = 4
	defaultRounds       = 1
	defaultErrors       = 10
	defaultCandidates   = 16
)

// Optimizer is a way to search for a better candidate. The ones of this package
// are plain structs that hold its settings: [Race], [LabeledFewShot], [BootstrapFewShot],
// [RandomSearch], [MIPROv2], [COPRO], [OPRO], [SIMBA], [GEPA] and [Calibrate].
type Optimizer interface {
	// String names the optimizer and its settings, defaults filled in, for reports
	// and saved programs: "RandomSearch(bootstrapped=4, labeled=16, ...)".
	String() string
	search(ctx context.Context, s *session) error
}

// count returns the value of a field that counts: its default when it is zero,
// and zero when it is [None].
func count(v, def int) int {
	switch {
	case v == 0:
		return def
	case v < 0:
		return 0
	}
	return v
}

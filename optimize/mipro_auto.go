package optimize

import "fmt"

// Auto sizes a search by DSPy's settings, in place of single numbers.
type Auto int

const (
	// AutoLight has 6 candidates and scores on at most 100 validation examples.
	AutoLight Auto = iota + 1
	// AutoMedium has 12, and 300.
	AutoMedium
	// AutoHeavy has 18, and 1000.
	AutoHeavy
)

// String returns DSPy's name: "light", "medium" or "heavy".
func (a Auto) String() string {
	switch a {
	case AutoLight:
		return "light"
	case AutoMedium:
		return "medium"
	case AutoHeavy:
		return "heavy"
	}
	return fmt.Sprintf("Auto(%d)", int(a))
}

// autoCandidates returns how many candidates a search has, 0 for no size that there is.
func autoCandidates(a Auto) int {
	switch a {
	case AutoLight:
		return 6
	case AutoMedium:
		return 12
	case AutoHeavy:
		return 18
	}
	return 0
}

// autoRows returns on how many validation examples it scores.
func autoRows(a Auto) int {
	switch a {
	case AutoLight:
		return 100
	case AutoMedium:
		return 300
	}
	return 1000
}

package router

import (
	"math"
	"slices"
)

// Never is a threshold that no score reaches.
const Never = 2.0

// Calibrate returns the threshold that sends share of the requests with these scores to
// the strong model: the share, 0 to 1, of scores that are at least the threshold. Requests
// of equal scores go the same way, so that some shares cannot be met: the nearest is then,
// and of two that are as near the smaller. The threshold is one of the scores, or [Never]
// for no request at all, or 0 for all. No scores at all, one that is not 0 to 1 (NaN is not)
// and such a share are errors of kind lm.ErrInvalidRequest.
func Calibrate(scores []float64, share float64) (float64, error) {
	if len(scores) == 0 {
		return 0, invalid("there are no scores to calibrate with")
	}
	if !(share >= 0 && share <= 1) {
		return 0, invalid("the share is %v; it must be 0 to 1", share)
	}
	for i, s := range scores {
		if !(s >= 0 && s <= 1) {
			return 0, invalid("score %d is %v; a score must be 0 to 1", i, s)
		}
	}
	sorted := slices.Clone(scores)
	slices.Sort(sorted)
	slices.Reverse(sorted)
	want := share * float64(len(sorted))
	threshold, off := Never, want // none
	for i, s := range sorted {
		sent := i + 1
		if sent < len(sorted) && sorted[sent] == s {
			continue // the next goes the same way
		}
		if d := math.Abs(float64(sent) - want); d < off {
			threshold, off = s, d
			if sent == len(sorted) {
				threshold = 0
			}
		}
	}
	return threshold, nil
}

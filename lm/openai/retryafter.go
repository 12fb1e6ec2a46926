package openai

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter is the longest time to wait that is passed on.
const maxRetryAfter = 2 * time.Hour

// retryAfter returns how long a server asks to wait, at most maxRetryAfter: by
// "retry-after-ms", or by "Retry-After" in seconds or as a date. A time that is negative or
// past, and what is neither, is 0.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if d, ok := waitOf(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d
	}
	text := h.Get("Retry-After")
	if d, ok := waitOf(text, time.Second); ok {
		return d
	}
	if at, err := http.ParseTime(strings.TrimSpace(text)); err == nil {
		return clampWait(at.Sub(now)) // Sub saturates
	}
	return 0
}

// waitOf reads a decimal number of units.
func waitOf(text string, unit time.Duration) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if text == "" || strings.Trim(text, "+-.0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && n == 0 {
		return 0, false // it is too large otherwise, and infinite
	}
	if n >= float64(maxRetryAfter/unit) {
		return maxRetryAfter, true
	}
	return clampWait(time.Duration(max(n, -1) * float64(unit))), true
}

func clampWait(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }

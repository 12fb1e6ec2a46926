package openai

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		seconds, millis string
		want            time.Duration
	}{
		{"", "", 0},
		{"7", "", 7 * time.Second},
		{" 1.5 ", "", 1500 * time.Millisecond},
		{"7", "250", 250 * time.Millisecond},
		{"7", "soon", 7 * time.Second},
		{"0", "", 0},
		{"-5", "", 0},
		{"-1000000000000000000000", "", 0},
		{"1000000000000", "", maxRetryAfter},
		{"", "1e3", 0},
		{"", "100000000000000000000000", maxRetryAfter},
		{"soon", "", 0},
		{"NaN", "", 0},
		{"Inf", "", 0},
		{"0x10", "", 0},
		{"1.2.3", "", 0},
		{"+-", "", 0},
		{now.Add(time.Minute).Format(http.TimeFormat), "", time.Minute},
		{now.Add(-time.Minute).Format(http.TimeFormat), "", 0},
		{now.AddDate(400, 0, 0).Format(http.TimeFormat), "", maxRetryAfter},
		{"Wednesday, 25-Nov-26 10:00:30 GMT", "", 30 * time.Second},
	} {
		h := http.Header{}
		h.Set("Retry-After", tt.seconds)
		h.Set("Retry-After-Ms", tt.millis)
		if got := retryAfter(h, now); got != tt.want {
			t.Errorf("Retry-After %q and Retry-After-Ms %q: %v, want %v", tt.seconds, tt.millis, got, tt.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("7", "")
	f.Add("-1", "1500")
	f.Add("Wed, 25 Nov 2026 10:00:30 GMT", "x")
	f.Add("99999999999999999999999999", "0.0000001")
	now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, seconds, millis string) {
		h := http.Header{"Retry-After": {seconds}, "Retry-After-Ms": {millis}}
		if d := retryAfter(h, now); d < 0 || d > maxRetryAfter {
			t.Errorf("%q and %q mean %v", seconds, millis, d)
		}
	})
}

// TestRetryAfterInTheBody is where Gemini says it.
func TestRetryAfterInTheBody(t *testing.T) {
	t.Parallel()
	for details, want := range map[string]time.Duration{
		`[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]`: 34500 * time.Millisecond,
		`[{"retryDelay":"-5s"}]`:       0,
		`[{"retryDelay":"99999999h"}]`: 0,
		`[{"retryDelay":"9999h"}]`:     maxRetryAfter,
		`[{"retryDelay":7}]`:           0,
		`"quota"`:                      0,
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Content-Type", jsonType)
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `[{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED","details":`+details+`}}]`)
		})
		_, err := open(t, s, "gemini/m").Generate(t.Context(), asks("a"))
		var e *lm.Error
		if !errors.As(err, &e) || e.Kind != lm.ErrRateLimit || e.RetryAfter != want || e.Message != "slow down" {
			t.Errorf("%s: %v, RetryAfter %v, want %v", details, err, e.RetryAfter, want)
		}
	}
}

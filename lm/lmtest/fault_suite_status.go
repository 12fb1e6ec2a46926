package lmtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

// statusOverloaded is what some providers answer when they are; it has no name in HTTP.
const statusOverloaded = 529

// statusKinds says what an HTTP status means.
var statusKinds = []struct {
	status int
	kind   lm.ErrorKind
}{
	{http.StatusBadRequest, lm.ErrInvalidRequest},
	{http.StatusUnauthorized, lm.ErrAuth},
	{http.StatusPaymentRequired, lm.ErrQuota},
	{http.StatusForbidden, lm.ErrAuth},
	{http.StatusNotFound, lm.ErrModel},
	{http.StatusRequestTimeout, lm.ErrTimeout},
	{http.StatusConflict, lm.ErrBackend},
	{http.StatusRequestEntityTooLarge, lm.ErrInvalidRequest},
	{http.StatusUnprocessableEntity, lm.ErrInvalidRequest},
	{http.StatusTooManyRequests, lm.ErrRateLimit},
	{http.StatusInternalServerError, lm.ErrBackend},
	{http.StatusBadGateway, lm.ErrBackend},
	{http.StatusServiceUnavailable, lm.ErrBackend},
	{http.StatusGatewayTimeout, lm.ErrTimeout},
	{statusOverloaded, lm.ErrBackend},
}

func faultsStatus(t *testing.T, b HTTPBackend) {
	for _, tt := range statusKinds {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			r := b.row(t)
			r.s.Always(Fault{Status: tt.status, Header: http.Header{"X-Request-Id": {"req-of-the-test"}}})
			for i, w := range r.ways() {
				e := r.failure(r.call(w), tt.kind)
				if e == nil {
					continue
				}
				if e.Status != tt.status || e.RequestID != "req-of-the-test" && !b.Headless {
					t.Errorf("%s: Status = %d and RequestID = %q, want %d and those of the header", w.name, e.Status, e.RequestID, tt.status)
				}
				if said := fmt.Sprint("told to answer ", tt.status); !strings.Contains(e.Error(), said) {
					t.Errorf("%s: the error %v does not have the server's words", w.name, e)
				}
				// To try again is a wrapper's affair, where the caller wants one.
				if n := r.s.Count(); n != i+1 {
					t.Errorf("%s made %d requests in place of 1", w.name, n-i)
				}
			}
		})
	}
}

// faultsErrorBody are errors whose body says more than the status, or nothing.
func faultsErrorBody(t *testing.T, b HTTPBackend) {
	for _, tt := range []struct {
		name, body string
		status     int
		kind       lm.ErrorKind
	}{
		{"context length", `{"error":{"message":"the prompt is too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`, 400, lm.ErrContextLength},
		{"context size", `{"error":{"code":400,"message":"the prompt is too long","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}`, 400, lm.ErrContextLength},
		{"quota", `{"error":{"message":"nothing is left","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`, 429, lm.ErrQuota},
		{"empty", "", 500, lm.ErrBackend},
		{"HTML", "<html><body><h1>502 Bad Gateway</h1></body></html>", 502, lm.ErrBackend},
		{"null", "null", 503, lm.ErrBackend},
		{"error is null", `{"error":null}`, 500, lm.ErrBackend},
		{"error is a text", `{"error":"all is lost"}`, 500, lm.ErrBackend},
		{"truncated", `{"error":{"message":"the ser`, 500, lm.ErrBackend},
		{"a list", `[{"error":{"message":"in a list","code":429}}]`, 429, lm.ErrRateLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := b.row(t)
			r.s.Always(Fault{Status: tt.status, Body: Text(tt.body)})
			for _, w := range r.ways() {
				if e := r.failure(r.call(w), tt.kind); e != nil && e.Status != tt.status {
					t.Errorf("%s: Status = %d, want %d", w.name, e.Status, tt.status)
				}
			}
		})
	}
}

// maxRetryAfter is more than any backend can mean to wait.
const maxRetryAfter = 24 * time.Hour

func faultsRetryAfter(t *testing.T, b HTTPBackend) {
	const exact = 0
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, tt := range []struct {
		name   string
		header http.Header
		want   time.Duration
		less   time.Duration // how much less it may be
	}{
		{"seconds", http.Header{"Retry-After": {"7"}}, 7 * time.Second, exact},
		// A date has whole seconds, and it takes a while until it is read.
		{"date", http.Header{"Retry-After": {date(100 * time.Second)}}, 100 * time.Second, time.Minute},
		{"date in the past", http.Header{"Retry-After": {date(-time.Hour)}}, 0, exact},
		{"milliseconds", http.Header{"Retry-After-Ms": {"1500"}}, 1500 * time.Millisecond, exact},
		{"negative", http.Header{"Retry-After": {"-5"}}, 0, exact},
		{"absurd", http.Header{"Retry-After": {"1000000000000"}}, maxRetryAfter, maxRetryAfter},
		{"absurd milliseconds", http.Header{"Retry-After-Ms": {"1000000000000000000000"}}, maxRetryAfter, maxRetryAfter},
		{"garbage", http.Header{"Retry-After": {"soon"}}, 0, exact},
		{"absent", nil, 0, exact},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := b.row(t)
			for status, kind := range map[int]lm.ErrorKind{429: lm.ErrRateLimit, 503: lm.ErrBackend} {
				r.s.Always(Fault{Status: status, Header: tt.header})
				for _, w := range r.ways() {
					e := r.failure(r.call(w), kind)
					if e != nil && !b.Headless && (e.RetryAfter > tt.want || e.RetryAfter < tt.want-tt.less) {
						t.Errorf("%s, status %d: RetryAfter = %v, want %v or up to %v less", w.name, status, e.RetryAfter, tt.want, tt.less)
					}
				}
			}
		})
	}
}

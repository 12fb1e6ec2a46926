package langchain

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/whetgo/whet/lm"
)

// statusText is how langchaingo's clients say which HTTP status came.
var statusText = regexp.MustCompile(`(?:unexpected status code|status code|HTTP|status):? (\d{3})\b`)

// secret is what looks like a key.
var secret = regexp.MustCompile(`(?i)\b(?:sk|pk|key|token)-[\w-]{8,}|\b(?:bearer\s+|(?:x-)?api[-_ ]?key["']?\s*[:=]\s*["']?)[\w.~+/-]{8,}|[?&](?:key|api[-_]?key|token)=[^&\s"']+`)

// failure makes an *lm.Error of a client's error.
func failure(err error) error {
	var own *lm.Error
	if errors.As(err, &own) {
		return err
	}
	e := &lm.Error{Kind: lm.ErrBackend, Provider: provider}
	text := err.Error()
	if clean := secret.ReplaceAllString(text, "***"); clean == text {
		e.Err = err
	} else {
		e.Message = clean // and no cause, whose text would tell
	}
	var theirs *llms.Error
	if errors.As(err, &theirs) {
		e.Code = string(theirs.Code)
		if kind, ok := kindOfCode(theirs.Code); ok {
			e.Kind = kind
			return e
		}
	}
	if m := statusText.FindStringSubmatch(text); m != nil {
		e.Status, _ = strconv.Atoi(m[1])
	}
	e.Kind = kindOfFailure(e.Status, strings.ToLower(text))
	return e
}

func kindOfCode(code llms.ErrorCode) (lm.ErrorKind, bool) {
	switch code {
	case llms.ErrCodeAuthentication:
		return lm.ErrAuth, true
	case llms.ErrCodeRateLimit:
		return lm.ErrRateLimit, true
	case llms.ErrCodeInvalidRequest:
		return lm.ErrInvalidRequest, true
	case llms.ErrCodeResourceNotFound:
		return lm.ErrModel, true
	case llms.ErrCodeTimeout:
		return lm.ErrTimeout, true
	case llms.ErrCodeQuotaExceeded:
		return lm.ErrQuota, true
	case llms.ErrCodeContentFilter:
		return lm.ErrRefused, true
	case llms.ErrCodeTokenLimit:
		return lm.ErrContextLength, true
	case llms.ErrCodeProviderUnavailable:
		return lm.ErrBackend, true
	case llms.ErrCodeNotImplemented:
		return lm.ErrUnsupported, true
	}
	return "", false
}

// kindOfFailure goes by the status and, where that says too little, by the text.
func kindOfFailure(status int, text string) lm.ErrorKind {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case status == 0 && has("request timeout"):
		return lm.ErrTimeout
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return lm.ErrAuth
	case status == http.StatusPaymentRequired, status == http.StatusTooManyRequests && has("exceeded your current quota", "insufficient_quota"):
		return lm.ErrQuota
	case status == http.StatusTooManyRequests:
		return lm.ErrRateLimit
	case status == http.StatusRequestTimeout || status == http.StatusGatewayTimeout:
		return lm.ErrTimeout
	case status == http.StatusNotFound:
		return lm.ErrModel
	case status >= 400 && status < 500 && has("context length", "context_length", "context size", "maximum context", "too many tokens", "prompt is too long"):
		return lm.ErrContextLength
	case status >= 400 && status < 500 && status != http.StatusConflict:
		return lm.ErrInvalidRequest
	}
	return lm.ErrBackend
}

// withPartial adds what had come of a stream to its error.
func withPartial(err error, text string) error {
	var e *lm.Error
	if text == "" || !errors.As(err, &e) {
		return err
	}
	c := *e
	c.Partial = &lm.Response{Text: text, Usage: lm.Usage{Calls: 1}}
	return &c
}

package openai

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
)

const hidden = "***"

// secret holds a key. Whatever prints it prints "***": its methods where they are called,
// and where reflection goes past them there is only the address of a function.
type secret struct{ reveal func() string }

func newSecret(s string) secret {
	if s == "" {
		return secret{}
	}
	return secret{func() string { return s }}
}

// value returns the key, or "".
func (s secret) value() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// String returns "***".
func (secret) String() string { return hidden }

// GoString returns "***".
func (secret) GoString() string { return hidden }

// Format writes "***" for every verb.
func (secret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue returns "***".
func (secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON returns "***".
func (secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// keyLike are texts that look like somebody's key.
var keyLike = regexp.MustCompile(`(?i)\bbearer\s+[^\s"',;]{4,}|\b(?:sk|pk|rk|gsk|xai|hf|tgp|csk)[-_][\w*.-]{6,}|\bAIza[\w-]{16,}|\b(?:api[-_]?key|access[-_]?token)["']?\s*[=:]\s*["']?[^\s"',;&]{6,}`)

// minSecret is how long a text must be to be taken out wherever it stands: a shorter one
// is no key that protects anything, and would be found in ordinary words.
const minSecret = 6

// scrubber takes keys out of what is shown.
type scrubber struct{ secrets []secret }

func newScrubber(secrets []string) scrubber {
	var s scrubber
	for _, v := range secrets {
		if len(v) < minSecret {
			continue
		}
		for _, form := range []string{v, strings.ToLower(v), url.QueryEscape(v), url.PathEscape(v), base64.StdEncoding.EncodeToString([]byte(v))} {
			s.secrets = append(s.secrets, newSecret(form))
		}
	}
	return s
}

func (s scrubber) clean(text string) string {
	for _, k := range s.secrets {
		text = strings.ReplaceAll(text, k.value(), hidden)
	}
	return keyLike.ReplaceAllString(text, hidden)
}

// cleanError is a cause whose text held a key. It does not unwrap, as what is behind would
// show the key; which errors it was is still known.
type cleanError struct {
	text string
	is   func(target error) bool
}

// Error returns the text without the key.
func (e *cleanError) Error() string { return e.text }

// Is reports whether the cause was the target.
func (e *cleanError) Is(target error) bool { return e.is(target) }

// cause returns an error that shows no key.
func (s scrubber) cause(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if c := s.clean(text); c != text {
		return &cleanError{c, func(target error) bool { return errors.Is(err, target) }}
	}
	return err
}

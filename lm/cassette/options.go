package cassette

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
)

// Option changes how cassettes are written and read.
type Option func(*config) error

type config struct {
	rules      []func(string) string
	tolerate   bool
	repeatLast bool
	existing   existing
}

// existing says what becomes of a file that is there already.
type existing int

const (
	refuse existing = iota
	add
	overwrite
)

// minSecret keeps a [Secret] from being a part of words.
const minSecret = 6

// Secret scrubs these texts wherever they stand, for example the key itself that the LM
// is called with. Each must have at least 6 bytes.
func Secret(secrets ...string) Option {
	return func(c *config) error {
		for i, s := range secrets {
			if len(s) < minSecret || strings.Contains(s, Scrubbed) || strings.Contains(Scrubbed, s) {
				return invalid("secret %d of Secret has %d bytes, or stars; it must have at least %d, as shorter ones are parts of words", i+1, len(s), minSecret)
			}
		}
		// A longer secret first: a shorter one may be a part of it.
		sorted := slices.SortedFunc(slices.Values(secrets), func(a, b string) int { return len(b) - len(a) })
		c.rules = append(c.rules, func(t string) string {
			for _, s := range sorted {
				t = strings.ReplaceAll(t, s, Scrubbed)
			}
			return t
		})
		return nil
	}
}

// Pattern scrubs all that the expressions match. An expression that matches the empty text
// is an error.
func Pattern(patterns ...*regexp.Regexp) Option {
	return func(c *config) error {
		for i, re := range patterns {
			if re == nil || re.MatchString("") {
				return invalid("pattern %d of Pattern is nil or matches the empty text", i+1)
			}
			c.rules = append(c.rules, func(t string) string { return re.ReplaceAllLiteralString(t, Scrubbed) })
		}
		return nil
	}
}

// Redact scrubs by a function, which returns the text to be written in place of its
// argument. It is called with every text of a request, reply or error, may be called by
// several goroutines at once, must depend on nothing else, and must leave alone what it
// has returned: an error says so if it does not.
func Redact(redact func(string) string) Option {
	return func(c *config) error {
		if redact == nil {
			return invalid("the function of Redact is nil")
		}
		c.rules = append(c.rules, redact)
		return nil
	}
}

// TolerateCut leaves out a last line that was cut while it was written. Where the cassette
// is written to, that line is removed.
func TolerateCut() Option {
	return func(c *config) error {
		c.tolerate = true
		return nil
	}
}

// RepeatLast gives the last recorded reply to a request that is asked more often than it
// was recorded. It is for [Replay] and [Open] with [ModeReplay].
func RepeatLast() Option {
	return func(c *config) error {
		c.repeatLast = true
		return nil
	}
}

// Append lets [Record] add to a cassette that is there already.
func Append() Option {
	return func(c *config) error {
		c.existing = add
		return nil
	}
}

// Overwrite lets [Record] take the place of a cassette, or any other file, that is there
// already.
func Overwrite() Option {
	return func(c *config) error {
		c.existing = overwrite
		return nil
	}
}

func configOf(opts []Option) (*config, error) {
	c := &config{}
	for _, opt := range opts {
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func invalid(format string, args ...any) error {
	return &lm.Error{Kind: lm.ErrInvalidRequest, Provider: "cassette", Message: fmt.Sprintf(format, args...)}
}

package cache

import (
	"fmt"
	"time"

	"github.com/whetgo/whet/lm"
)

// defaultMemory is how much memory answers take by default, in bytes.
const defaultMemory = 64 << 20

type config struct {
	memory        int64
	omitRequests  bool
	drop          bool
	onError       func(error)
	onFingerprint func(model, old, current string)
	pragmas       []string         // for each connection; tests make the disk full by one
	now           func() time.Time // tests set the clock
	err           error            // of the first bad option
}

// Option changes how a [Store] works.
type Option func(*config)

func newConfig(opts []Option) config {
	c := config{memory: defaultMemory, now: time.Now}
	for _, o := range opts {
		o(&c)
	}
	return c
}

// MemoryBytes limits how much memory answers take, in bytes, measured roughly; the ones
// used last stay. The default is 64 MB, and 0 keeps none.
func MemoryBytes(n int64) Option {
	return func(c *config) {
		if n < 0 && c.err == nil {
			c.err = invalid(fmt.Sprintf("MemoryBytes(%d): the limit is negative; 0 keeps no answer in memory", n))
		}
		c.memory = n
	}
}

// OmitRequests leaves the text of requests out of the file. Answers are found as before.
func OmitRequests() Option { return func(c *config) { c.omitRequests = true } }

// OnError tells f each failure to read or store an answer, and each damaged entry; the
// error is an [*Error]. f is called by the calls that met it, several at once, and they wait
// for it. [Store.Err] and [Store.Close] do not return these failures then.
func OnError(f func(error)) Option { return func(c *config) { c.onError = f } }

// OnFingerprint tells f that a model's reply had another fingerprint than the last one that
// was stored. f is called by the calls that met it, several at once, and they wait for it.
func OnFingerprint(f func(model, old, current string)) Option {
	return func(c *config) { c.onFingerprint = f }
}

// DropOnNewFingerprint removes the entries of a model that have another fingerprint, or
// none, when its fingerprint changes. Where a provider goes to and fro between two, that
// removes them each time.
func DropOnNewFingerprint() Option { return func(c *config) { c.drop = true } }

// WrapOption changes how a model is wrapped.
type WrapOption func(*cached)

// Name is what the model's answers are stored under, in place of its own name: for a model
// without one, or for two that answer alike. Models that answer differently must not share
// one. An empty name is an error of kind [lm.ErrInvalidRequest] of the first call.
func Name(name string) WrapOption { return func(m *cached) { m.name = name } }

func invalid(message string) *lm.Error {
	return &lm.Error{Kind: lm.ErrInvalidRequest, Provider: "cache", Message: message}
}

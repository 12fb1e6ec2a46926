package cache

import "time"

// What tests of the package see of its inside.
var (
	EncodeResponse = encodeResponse
	DecodeResponse = decodeResponse
	Describe       = describe
)

// Pragma sets a pragma of each connection.
func Pragma(p string) Option { return func(c *config) { c.pragmas = append(c.pragmas, p) } }

// Clock sets the clock.
func Clock(now func() time.Time) Option { return func(c *config) { c.now = now } }

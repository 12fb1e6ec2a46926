// Package wire is how responses of language models stand in files, exactly: what lm/cache
// and lm/cassette have in common. A [Text] need not be UTF-8 and a [Number] need not be
// finite, which JSON cannot hold by itself.
package wire

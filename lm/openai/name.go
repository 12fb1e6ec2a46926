package openai

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
)

// nameOf makes a model's name: its provider and ID, where it is if that is not the provider's
// own place, and a tag for what changes its replies besides.
func nameOf(c *client, p provider, elsewhere bool) string {
	name := c.provider + ":" + c.model
	if tag := tagOf(c, p, elsewhere); tag != "" {
		name += "#" + tag
	}
	if elsewhere {
		name += "@" + c.base.Host
	}
	return name
}

// tagOf returns what tells models apart that differ in the option Extra, in a dialect or in
// the path of their address: two that answer differently must not have the same name, or a
// store would give the answers of one for those of the other. It is a hash, as a path may hold
// a key.
func tagOf(c *client, p provider, elsewhere bool) string {
	path := c.base.Path
	switch own, _ := url.Parse(p.baseURL); {
	case elsewhere && path == "/v1", !elsewhere && own != nil && path == strings.TrimRight(own.Path, "/"):
		path = ""
	}
	var dialect *Dialect
	if c.dialect != p.dialect {
		dialect = &c.dialect
	}
	if path == "" && dialect == nil && len(c.extra) == 0 {
		return ""
	}
	// The fields of a map are written in order, and these are JSON already.
	data, err := json.Marshal([]any{path, dialect, c.extra})
	if err != nil {
		data = []byte(path) // no JSON is an error of the option Extra before
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:4])
}

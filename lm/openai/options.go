package openai

import (
	"encoding/json"
	"net/http"
	"os"
	"time"

	"github.com/whetgo/whet/lm"
)

// Defaults of the options, and what is not an option.
const (
	defaultMaxReply  = 64 << 20
	defaultMaxPrompt = 64 << 20
	defaultTimeout   = 10 * time.Minute
	defaultBatch     = 128
	maxLine          = 32 << 20
)

// Option changes how a model is reached.
type Option func(*config)

type config struct {
	key, baseURL   string
	name           string
	nameSet        bool
	keySet, urlSet bool
	getenv         func(string) string
	client         *http.Client
	header         http.Header
	maxReply       int64
	maxPrompt      int64
	timeout        time.Duration
	extra          map[string]any
	dialect        *Dialect
	allowHTTP      bool
	allowLinkLocal bool
	untrusted      bool
	readSpecial    bool
	batch          int
}

// Key sets the key, in place of the environment's. "" means that none is sent.
func Key(key string) Option { return func(c *config) { c.key, c.keySet = key, true } }

// BaseURL sets where the server is, up to what stands before "/chat/completions", for
// example "http://gpu-box:8000/v1". One without a path gets "/v1".
func BaseURL(address string) Option {
	return func(c *config) { c.baseURL, c.urlSet = address, true }
}

// Getenv sets where variables of the environment are looked up; the default is os.Getenv.
func Getenv(get func(name string) string) Option { return func(c *config) { c.getenv = get } }

// HTTPClient sets the client. The default is one of the model's own, with connections of
// its own. Of this one a copy is used that follows no redirect; where names lead to is then
// not checked, and Close leaves its connections open.
func HTTPClient(client *http.Client) Option { return func(c *config) { c.client = client } }

// Header adds a header to each request. It never shows in errors or names. One that authorizes
// (Authorization, Api-Key, X-Api-Key) takes the place of a key of the environment.
func Header(name, value string) Option { return func(c *config) { c.header.Add(name, value) } }

// Organization sets the organisation of OpenAI's that pays.
func Organization(id string) Option {
	return func(c *config) { c.header.Set(headerOrganization, id) }
}

// Project sets the project of OpenAI's that pays.
func Project(id string) Option { return func(c *config) { c.header.Set(headerProject, id) } }

const (
	headerOrganization = "OpenAI-Organization"
	headerProject      = "OpenAI-Project"
)

// Name sets what [Model.Name] returns, which is what stores know answers by and what
// lm/balance compares: for one model at two addresses, whose names would else differ. Models
// that answer differently must not share one. A name like "vllm:qwen" lets lm/price see whose
// model it is.
func Name(name string) Option { return func(c *config) { c.name, c.nameSet = name, true } }

// MaxReply sets how many bytes a reply may have after decompression. The default is 64 MB.
func MaxReply(bytes int64) Option { return func(c *config) { c.maxReply = bytes } }

// MaxPrompt sets how many bytes a request may have, images and all. The default is 64 MB;
// a longer one is an error of kind lm.ErrInvalidRequest and not sent.
func MaxPrompt(bytes int64) Option { return func(c *config) { c.maxPrompt = bytes } }

// Timeout sets how long a call may take, a stream as a whole. The default is 10 minutes,
// and 0 means as long as its context lasts. It ends in an error of kind lm.ErrTimeout.
func Timeout(d time.Duration) Option { return func(c *config) { c.timeout = d } }

// Extra adds fields to the body of each request, for what a provider has of its own. What
// the request itself sets comes before a field of the same name.
func Extra(fields map[string]any) Option {
	return func(c *config) {
		if c.extra == nil {
			c.extra = map[string]any{}
		}
		for k, v := range fields {
			c.extra[k] = v
		}
	}
}

// UseDialect sets what the server knows, in place of what is known of its provider; see
// [DialectOf].
func UseDialect(d Dialect) Option { return func(c *config) { c.dialect = &d } }

// AllowHTTP lets a key go over plain http to another machine.
func AllowHTTP() Option { return func(c *config) { c.allowHTTP = true } }

// AllowLinkLocal lets the server be at a link-local address or at one where a cloud keeps
// its machines' credentials.
func AllowLinkLocal() Option { return func(c *config) { c.allowLinkLocal = true } }

// Untrusted says that the BaseURL comes from somebody else, for example out of a file.
// Addresses of this machine and of private networks are then refused, too, also where a
// host's name leads to them; a key of the environment is not sent there, but only one of
// the option Key; and no proxy is used, as nobody could tell where it leads. An HTTPClient
// must look to both itself.
func Untrusted() Option { return func(c *config) { c.untrusted = true } }

// Batch sets how many texts an [Embedder] sends at once. The default is 128.
func Batch(texts int) Option { return func(c *config) { c.batch = texts } }

// reserved are fields that Extra cannot set.
func reserved(field string) bool {
	switch field {
	case "model", "messages", "prompt", "input", "stream", "n":
		return true
	}
	return false
}

func newConfig(opts []Option) (*config, error) {
	c := &config{
		getenv: os.Getenv, header: http.Header{}, maxReply: defaultMaxReply, maxPrompt: defaultMaxPrompt,
		timeout: defaultTimeout, batch: defaultBatch,
	}
	for _, o := range opts {
		o(c)
	}
	switch {
	case c.getenv == nil:
		return nil, misused("Getenv(nil) looks nothing up; leave the option out for the process's environment")
	case c.maxReply < 1:
		return nil, misused("MaxReply(%d) is less than 1 byte", c.maxReply)
	case c.maxPrompt < 1:
		return nil, misused("MaxPrompt(%d) is less than 1 byte", c.maxPrompt)
	case c.timeout < 0:
		return nil, misused("Timeout(%v) is negative", c.timeout)
	case c.batch < 1:
		return nil, misused("Batch(%d) is less than 1 text", c.batch)
	case c.nameSet && c.name == "":
		return nil, misused("Name is empty; leave the option out for the name that New makes")
	case c.urlSet && c.baseURL == "":
		return nil, misused("BaseURL is empty; leave the option out for the provider's own address")
	case c.untrusted && !c.urlSet:
		return nil, misused("Untrusted is about the option BaseURL, which is not given")
	case c.dialect != nil && !c.dialect.Shapes.known():
		return nil, misused("the dialect gives shapes by %q, which is not known", string(c.dialect.Shapes))
	}
	for name, values := range c.header {
		if !validHeader(name, values) {
			return nil, misused("the header %q has a name or a value that HTTP does not allow", name)
		}
	}
	return c, nil
}

// extraFields writes the fields of Extra once, so that nobody can change them later.
func (c *config) extraFields() (map[string]any, *lm.Error) {
	out := map[string]any{}
	for k, v := range c.extra {
		if reserved(k) {
			return nil, misused("Extra sets %q, which is the request's own", k)
		}
		data, err := json.Marshal(v)
		if err != nil {
			return nil, &lm.Error{Kind: lm.ErrInvalidRequest, Provider: openAI, Message: "the field " + k + " of Extra is no JSON", Err: err}
		}
		out[k] = json.RawMessage(data)
	}
	return out, nil
}

// validHeader reports whether HTTP takes a header.
func validHeader(name string, values []string) bool {
	if name == "" {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || c == ':' || c == '"' || c == '(' || c == ')' || c == ',' || c == '/' {
			return false
		}
	}
	for _, v := range values {
		for _, c := range []byte(v) {
			if c < ' ' && c != '\t' || c == 0x7f {
				return false
			}
		}
	}
	return true
}

package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

// client calls one server for one model.
type client struct {
	provider, model string
	dialect         Dialect
	base            *url.URL
	name            string
	key             secret
	header          http.Header
	scrub           scrubber
	extra           map[string]any
	maxReply        int64
	maxPrompt       int64
	timeout         time.Duration
	http            *http.Client
	free            bool            // a server of one's own, which charges nothing
	own             *http.Transport // nil where the HTTPClient is somebody else's
	closed          atomic.Bool
}

func newClient(model string, c *config) (*client, error) {
	providerName, id, p, err := lookUp(model, c.urlSet)
	if err != nil {
		return nil, err
	}
	fail := func(e *lm.Error) (*client, error) {
		e.Provider, e.Model = providerName, id
		return nil, e
	}
	address, elsewhere := c.address(providerName, p)
	// A header that authorizes is an option, and comes before the environment's key.
	byHeader := c.header.Get("Authorization") != "" || c.header.Get("X-Api-Key") != "" || c.header.Get("Api-Key") != ""
	key := c.key
	if !c.keySet && !byHeader && !(c.untrusted && elsewhere) {
		key = c.lookUp(p.keys)
	}
	for _, b := range []byte(key) {
		if b <= ' ' || b >= 0x7f {
			return fail(misused("the key holds a space, a line end or another character that no key has; is something left over from a file?"))
		}
	}
	rules := policy{c.allowHTTP, c.allowLinkLocal, c.untrusted}
	authorized := key != "" || byHeader
	base, refused := rules.check(address, authorized)
	if refused != nil {
		return fail(refused)
	}
	if !authorized && !p.local && !elsewhere && !c.keySet {
		return fail(failure(lm.ErrAuth, "there is no key: set the environment variable %s or give the option Key", strings.Join(p.keys, " or ")))
	}
	extra, misuse := c.extraFields()
	if misuse != nil {
		return fail(misuse)
	}
	out := &client{
		provider: providerName, model: id, dialect: p.dialect, free: p.local && !authorized, base: base, key: newSecret(key), header: c.header.Clone(),
		extra: extra, maxReply: c.maxReply, maxPrompt: c.maxPrompt, timeout: c.timeout,
	}
	if c.dialect != nil {
		out.dialect = *c.dialect
	}
	if out.name = c.name; out.name == "" {
		out.name = nameOf(out, p, elsewhere)
	}
	if providerName == openAI && !elsewhere {
		out.defaultHeader(headerOrganization, c.getenv("OPENAI_ORG_ID"))
		out.defaultHeader(headerProject, c.getenv("OPENAI_PROJECT_ID"))
	}
	secrets := []string{key}
	for _, values := range out.header {
		secrets = append(secrets, values...)
	}
	out.scrub = newScrubber(secrets)
	if c.client != nil {
		copied := *c.client
		copied.CheckRedirect = noRedirect
		out.http = &copied
	} else {
		out.own = newTransport(rules)
		if out.dialect.Tokenize {
			// llama-server gives each connection a thread, of which it has few, and a
			// connection that idles keeps its own for seconds.
			out.own.MaxIdleConnsPerHost = 2
		}
		out.http = &http.Client{Transport: out.own, CheckRedirect: noRedirect}
	}
	return out, nil
}

// address returns where the server is, and whether that is not the provider's own place.
func (c *config) address(providerName string, p provider) (address string, elsewhere bool) {
	address = c.baseURL
	if !c.urlSet {
		address = strings.TrimSpace(c.lookUp(p.urls))
		if address != "" && providerName == ollama {
			address = ollamaURL(address)
		}
	}
	if address == "" {
		return p.baseURL, false
	}
	own, _ := url.Parse(p.baseURL) // of the table
	given, err := url.Parse(address)
	return address, err != nil || !strings.EqualFold(given.Host, own.Host) || given.Scheme != own.Scheme
}

// lookUp returns the first variable that is set.
func (c *config) lookUp(names []string) string {
	for _, n := range names {
		if v := c.getenv(n); v != "" {
			return v
		}
	}
	return ""
}

func (c *client) defaultHeader(name, value string) {
	if value != "" && c.header.Get(name) == "" && validHeader(name, []string{value}) {
		c.header.Set(name, value)
	}
}

func (c *client) close() {
	c.closed.Store(true)
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// limited returns the context of a call.
func (c *client) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.timeout > 0 {
		return context.WithTimeout(ctx, c.timeout)
	}
	return context.WithCancel(ctx)
}

// url returns an address below the base URL.
func (c *client) url(path string) string { return c.base.JoinPath(path).String() }

// encode writes a body, with the extra fields that it does not set itself.
func (c *client) encode(body map[string]any) ([]byte, error) {
	for k, v := range c.extra {
		if _, ok := body[k]; !ok {
			body[k] = v
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return nil, c.because(lm.ErrInvalidRequest, err, "the request cannot be written as JSON")
	}
	if int64(b.Len()) > c.maxPrompt {
		return nil, c.failure(lm.ErrInvalidRequest, "the request is %d bytes long, more than the %d of the option MaxPrompt", b.Len(), c.maxPrompt)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// send posts a body and returns the response with status 200. ctx is the call's and outer
// the caller's.
func (c *client) send(ctx, outer context.Context, address string, body []byte, accept string) (*http.Response, error) {
	if err := outer.Err(); err != nil {
		return nil, err
	}
	if c.closed.Load() {
		return nil, c.failure(lm.ErrUnavailable, "the model is closed")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, c.because(lm.ErrInvalidRequest, err, "the request cannot be made")
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", accept)
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "whet")
	}
	if _, set := req.Header["Idempotency-Key"]; c.free && !set {
		// The server may close a connection that idles just when it is used again. Without a
		// header being sent, this lets net/http ask once more where no byte of a reply came:
		// nobody pays for what the server may have done.
		req.Header["Idempotency-Key"] = nil
	}
	if key := c.key.value(); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.lost(ctx, outer, err, "no reply from "+c.base.Host)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	head, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err != nil && outer.Err() != nil {
		return nil, outer.Err()
	}
	return nil, c.refusal(resp.StatusCode, resp.Header, head, time.Now())
}

// lost makes the error of a call that the network, the time limit or the caller ended.
func (c *client) lost(ctx, outer context.Context, err error, what string) error {
	if outer.Err() != nil {
		return outer.Err()
	}
	if ctx.Err() != nil {
		return c.failure(lm.ErrTimeout, "%s within the %v of the option Timeout", what, c.timeout)
	}
	if e := (*url.Error)(nil); errors.As(err, &e) {
		err = e.Err // it would repeat the address
	}
	if errors.Is(err, errRefusedAddress) {
		e := refusedAddress(c.scrub.cause(err))
		e.Provider, e.Model = c.provider, c.model
		return e
	}
	if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
		return c.because(lm.ErrTimeout, err, "%s in time", what)
	}
	return c.because(lm.ErrBackend, err, "%s", what)
}

// post sends a body and returns the JSON of the reply.
func (c *client) post(outer context.Context, address string, body []byte) ([]byte, *head, error) {
	ctx, cancel := c.limited(outer)
	defer cancel()
	resp, err := c.send(ctx, outer, address, body, "application/json")
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	data, err := c.readBody(ctx, outer, resp)
	return data, headOf(resp), err
}

// readBody reads a reply that is to be JSON.
func (c *client) readBody(ctx, outer context.Context, resp *http.Response) ([]byte, error) {
	if resp.ContentLength > c.maxReply {
		return nil, c.broken(headOf(resp), nil, "the reply is %d bytes long, more than the %d of the option MaxReply", resp.ContentLength, c.maxReply)
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, c.broken(headOf(resp), nil, "the reply has the encoding %q, which nobody asked for", c.short(e, maxCode))
	}
	data, err := readAll(resp.Body, c.maxReply)
	switch {
	case errors.Is(err, errTooLong):
		return nil, c.broken(headOf(resp), nil, "the reply is longer than the %d bytes of the option MaxReply", c.maxReply)
	case err != nil:
		lost := c.lost(ctx, outer, err, "no whole reply from "+c.base.Host)
		if e := (*lm.Error)(nil); errors.As(lost, &e) {
			e.Status, e.RequestID = resp.StatusCode, c.requestID(resp.Header)
		}
		return nil, lost
	}
	kind := mediaType(resp.Header)
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, c.broken(headOf(resp), nil, "the reply is empty")
	case looksLikeHTML(data):
		return nil, c.broken(headOf(resp), nil, "the reply is an HTML page and no JSON; does the base URL lead to the interface, or to a login?")
	case kind != "" && kind != "application/json" && kind != "text/json" && !strings.HasSuffix(kind, "+json"):
		return nil, c.broken(headOf(resp), nil, "the reply is of the type %q and no JSON", c.short(kind, maxCode))
	case !utf8.Valid(data):
		return nil, c.broken(headOf(resp), nil, "the reply is no UTF-8")
	case tooDeep(data):
		return nil, c.broken(headOf(resp), nil, "the reply is JSON of more than %d levels", maxDepth)
	}
	return data, nil
}

// mediaType returns the type of a body without parameters, or "".
func mediaType(h http.Header) string {
	text := h.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(text)
	if err != nil {
		kind, _, _ = strings.Cut(text, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	return kind
}

// maxDepth is how deep a reply may be nested: tools' arguments, which may be deeper, are
// texts in it.
const maxDepth = 128

// tooDeep reports whether JSON is nested deeper than any reply.
func tooDeep(data []byte) bool {
	depth, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}

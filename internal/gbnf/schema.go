package gbnf

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Option changes what a grammar of a schema allows where the schema says nothing.
type Option func(*bounds)

// bounds limit what a schema leaves open.
type bounds struct{ text, items int }

// MaxString limits texts to n characters where the schema sets no maxLength; in a text
// with a pattern each part that may be repeated without end has at most n rounds. 0 and
// less leave them open, as they are without this option.
func MaxString(n int) Option { return func(b *bounds) { b.text = limit(n) } }

// MaxItems limits arrays to n items and objects with free keys to n keys where the
// schema sets no maximum; what it demands it gets. 0 and less leave them open, as they
// are without this option.
func MaxItems(n int) Option { return func(b *bounds) { b.items = limit(n) } }

func limit(n int) int {
	if n <= 0 {
		return unlimited
	}
	return n
}

// FromSchema makes the grammar of the JSON values that a JSON Schema of the draft
// 2020-12 describes, in the form that the package's documentation has. It returns a
// [*SchemaError] for a text that is no such schema and an [*UnsupportedError] for one
// that no grammar can be held to: one with a reference to another document, for example.
// Nothing is fetched.
func FromSchema(schema []byte, options ...Option) (*Grammar, error) {
	c := newCompiler()
	for _, o := range options {
		o(&c.bounds)
	}
	doc, err := parseJSON(schema)
	if err != nil {
		return nil, &SchemaError{Reason: "it is no JSON: " + err.Error(), Err: err}
	}
	if n, ok := immodest(doc); ok {
		return nil, &UnsupportedError{Reason: "the number " + string(n) + " is too large or too long"}
	}
	if err := c.open(doc); err != nil {
		return nil, err
	}
	root, err := c.value(conjunction{c.node("", doc)})
	if err != nil {
		return nil, err
	}
	if root = prune(root); root.isNever() {
		return nil, &UnsupportedError{Reason: "no value that a grammar can write validates"}
	}
	g := grammar(root)
	if g.tooLong() {
		return nil, &UnsupportedError{Reason: "its shortest value takes more than 1 MiB"}
	}
	return g, nil
}

// compiler makes the grammar of one schema.
type compiler struct {
	bounds
	doc        any
	embedded   bool // there is an $id inside, so that references may mean something else
	validators *jsonschema.Compiler
	nodes      map[string]*schemaNode
	known      map[*schemaNode][]*branch // what schemas come to
	rules      map[string]*rule          // of conjunctions
	shared     sharedRules
}

func newCompiler() *compiler {
	return &compiler{
		bounds: bounds{unlimited, unlimited}, nodes: map[string]*schemaNode{},
		known: map[*schemaNode][]*branch{}, rules: map[string]*rule{},
	}
}

// schemaNode is a schema at a place of the document.
type schemaNode struct {
	path  string // a JSON pointer
	value any    // a bool or an *object, or something that is no schema
	// negated is set in what stands in no document: what does not fulfil this schema.
	negated *schemaNode
}

// conjunction is schemas that all hold.
type conjunction []*schemaNode

// and adds the schemas of another that are not there.
func (c conjunction) and(d conjunction) conjunction {
	out := c[:len(c):len(c)]
	for _, n := range d {
		if !out.has(n) {
			out = append(out, n)
		}
	}
	return out
}

func (c conjunction) has(n *schemaNode) bool {
	for _, m := range c {
		if m == n {
			return true
		}
	}
	return false
}

func (c conjunction) key() string {
	var b strings.Builder
	for _, n := range c {
		b.WriteString(strconv.Quote(n.path))
	}
	return b.String()
}

// here is the document's address, which nothing can refer to from outside.
const here = "schema.json"

const draft = "https://json-schema.org/draft/2020-12/schema"

// open checks the document as a whole.
func (c *compiler) open(doc any) error {
	c.doc = doc
	if o, ok := doc.(*object); ok {
		if v, ok := o.get("$schema"); ok && v != draft && v != draft+"#" {
			return &UnsupportedError{Keyword: "$schema", Reason: fmt.Sprintf("it is %s, and only %q is understood; leave it out", written(v), draft)}
		}
		for _, k := range o.keys {
			c.embedded = c.embedded || hasID(o.values[k])
		}
	}
	c.validators = jsonschema.NewCompiler()
	c.validators.DefaultDraft(jsonschema.Draft2020)
	c.validators.UseLoader(noLoader{})
	if err := c.validators.AddResource(here, plainValue(doc)); err != nil {
		return &SchemaError{Reason: err.Error(), Err: err}
	}
	_, err := c.validators.Compile(here)
	return c.schemaError(err)
}

// schemaError sorts out why the validator refuses a schema.
func (c *compiler) schemaError(err error) error {
	if err == nil {
		return nil
	}
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		return &UnsupportedError{Keyword: "$ref", Reason: "it leads to another document, and nothing is fetched; put that under $defs"}
	}
	var invalid *jsonschema.SchemaValidationError
	var broken *jsonschema.ValidationError
	if errors.As(err, &invalid) && errors.As(invalid.Err, &broken) {
		for len(broken.Causes) > 0 {
			broken = broken.Causes[0]
		}
		path := ""
		for _, part := range broken.InstanceLocation {
			path += "/" + pointerEscape(part)
		}
		if why := patternProblem(c.doc, path); why != "" {
			return &UnsupportedError{Path: path, Keyword: "pattern", Reason: why}
		}
		return &SchemaError{Path: path, Reason: fmt.Sprint(broken.ErrorKind), Err: err}
	}
	return &SchemaError{Reason: err.Error(), Err: err}
}

// patternProblem says why a text at a path is no pattern in Go's syntax.
func patternProblem(doc any, path string) string {
	v, ok := lookUp(doc, path)
	s, isText := v.(string)
	if ok && isText && strings.HasSuffix(path, "/pattern") {
		if _, err := parsePattern(s); err != nil {
			return err.Error()
		}
	}
	return ""
}

// noLoader keeps schemas from reading files.
type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errors.New("nothing is fetched") }

// hasID reports whether something under a document's root may have an $id.
func hasID(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if hasID(item) {
				return true
			}
		}
	case *object:
		for _, k := range v.keys {
			if _, isText := v.values[k].(string); k == "$id" && isText || hasID(v.values[k]) {
				return true
			}
		}
	}
	return false
}

// node returns the schema at a path, which has this value.
func (c *compiler) node(path string, value any) *schemaNode {
	n, ok := c.nodes[path]
	if !ok {
		n = &schemaNode{path: path, value: value}
		c.nodes[path] = n
	}
	return n
}

// child is the schema under a keyword, or under a key or index of it.
func (c *compiler) child(n *schemaNode, value any, path ...string) *schemaNode {
	p := n.path
	for _, part := range path {
		p += "/" + pointerEscape(part)
	}
	return c.node(p, value)
}

func pointerEscape(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

// resolve finds what a reference leads to.
func (c *compiler) resolve(from *schemaNode, reference string) (*schemaNode, error) {
	fail := func(reason string) error {
		return &UnsupportedError{Path: from.path, Keyword: "$ref", Reason: fmt.Sprintf("%q %s", reference, reason)}
	}
	base, fragment, _ := strings.Cut(reference, "#")
	if root, ok := c.doc.(*object); ok && base != "" && root.values["$id"] == any(base) {
		base = ""
	}
	switch {
	case base != "":
		return nil, fail("leads to another document, and nothing is fetched; put that under $defs")
	case c.embedded:
		return nil, fail("may mean something else than it says, as a schema inside has an $id of its own; leave that out")
	}
	path, err := url.PathUnescape(fragment)
	if err != nil {
		return nil, &SchemaError{Path: from.path, Reason: fmt.Sprintf("the reference %q is no JSON pointer", reference), Err: err}
	}
	if path != "" && path[0] != '/' {
		at, found := anchor(c.doc, path, "")
		if !found {
			return nil, fail("names an $anchor that was not found")
		}
		path = at
	}
	v, ok := lookUp(c.doc, path)
	if !ok {
		return nil, &SchemaError{Path: from.path, Reason: fmt.Sprintf("the reference %q leads nowhere", reference)}
	}
	return c.node(path, v), nil
}

// anchor returns the path of the schema with an $anchor.
func anchor(v any, name, path string) (string, bool) {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if p, ok := anchor(item, name, path+"/"+strconv.Itoa(i)); ok {
				return p, true
			}
		}
	case *object:
		if v.values["$anchor"] == any(name) {
			return path, true
		}
		for _, k := range v.keys {
			if k == "enum" || k == "const" {
				continue
			}
			if p, ok := anchor(v.values[k], name, path+"/"+pointerEscape(k)); ok {
				return p, true
			}
		}
	}
	return "", false
}

// lookUp finds the value that a JSON pointer leads to.
func lookUp(doc any, path string) (any, bool) {
	if path == "" {
		return doc, true
	}
	for _, part := range strings.Split(path[1:], "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch v := doc.(type) {
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			doc = v[i]
		case *object:
			item, ok := v.get(part)
			if !ok {
				return nil, false
			}
			doc = item
		default:
			return nil, false
		}
	}
	return doc, true
}

// valid reports whether a value validates against a schema of the document.
func (c *compiler) valid(n *schemaNode, v any) (bool, error) {
	switch _, isText := v.(string); {
	case n == noValue:
		return false, nil
	case n == onlyText:
		return isText, nil
	case n.negated != nil:
		ok, err := c.valid(n.negated, v)
		return !ok, err
	}
	s, err := c.validators.Compile(here + "#" + (&url.URL{Fragment: n.path}).EscapedFragment())
	if err != nil {
		return false, c.schemaError(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(written(v))))
	if err != nil {
		return false, &SchemaError{Path: n.path, Reason: "a value of it is no JSON: " + err.Error(), Err: err}
	}
	return s.Validate(instance) == nil, nil
}

package adapter

import (
	"errors"

	"github.com/whetgo/whet/internal/jsonrepair"
	"github.com/whetgo/whet/signature"
)

// readOptions say how a reply is read.
type readOptions struct {
	// strict reads as DSPy does and no more.
	strict bool
	// keepMarkers says that data was rendered with its markers as they are.
	keepMarkers bool
}

var errNoObject = errors.New("there is no JSON object in it")

// readJSONReply reads the outputs from a reply that is a JSON object: by repairing
// it, or else the first object in it. Keys that are no outputs are left out.
func readJSONReply(sig *signature.Signature, reply string, inputs signature.Record, opts readOptions) (signature.Record, []Repair, error) {
	return newReading("json", sig, reply, inputs, opts).json()
}

// json reads a reply to JSON.
func (r *reading) json() (signature.Record, []Repair, error) {
	text, opts := r.reply, r.opts
	if !opts.strict {
		text = r.cleaned(text)
	}
	object, repaired, ok := jsonObject(text)
	r.understood = ok
	if ok {
		if repaired != "" {
			r.repaired("", repaired)
		}
		r.keys(object, repaired != "")
		if !opts.strict && len(r.names) == 0 {
			// Another object, or one that an input holds, says nothing of the outputs.
			r.understood = object.Len() == 0 && !r.echo.mentions("{}")
		}
	}
	switch {
	case opts.strict && !ok:
		for i := range r.found {
			r.found[i].err = errNoObject
		}
	case !opts.strict && r.lacking():
		r.lenientKeys(object, repaired != "", func(how string) string { return how })
		if r.lacking() && !(ok && object.Len() == 0) {
			r.search(text, "JSON")
		}
	}
	return r.record()
}

// keys takes the outputs from under their keys. One that was copied from an input
// does not count, as a model that quotes an input may have closed the text too
// early.
func (r *reading) keys(object signature.Record, mended bool) {
	for name, v := range object.All() {
		i := r.index(name)
		if i < 0 {
			continue
		}
		f := r.sig.Outputs()[i]
		if !r.opts.strict && r.echo.repeatsMember(f, v, keyed, mended) {
			r.found[i].err = errEcho
			continue
		}
		r.set(i, finding{value: v, typed: true})
	}
}

// jsonObject finds the JSON object that a text is or holds. repaired says what was
// mended, "" for nothing.
func jsonObject(text string) (object signature.Record, repaired string, ok bool) {
	v, mended, _ := jsonrepair.Repaired(text)
	if object, ok = v.(signature.Record); ok {
		if mended {
			repaired = mending(text)
		}
		return object, repaired, true
	}
	inside, ok := firstObject(text)
	if !ok {
		return object, "", false
	}
	v, mended, _ = jsonrepair.Repaired(inside)
	object, ok = v.(signature.Record)
	repaired = "text around JSON"
	if mended {
		repaired = "JSON mended"
	}
	return object, repaired, ok
}

// firstObject returns the first stretch of a text from an opening brace to the one
// that closes it.
func firstObject(s string) (string, bool) {
	var open []int
	begin, end := -1, -1
	for i := range len(s) {
		switch s[i] {
		case '{':
			open = append(open, i)
		case '}':
			if n := len(open); n > 0 {
				// An earlier brace may still close; then it has the earlier begin.
				if at := open[n-1]; begin < 0 || at < begin {
					begin, end = at, i+1
				}
				open = open[:n-1]
			}
		}
	}
	if begin < 0 {
		return "", false
	}
	return s[begin:end], true
}

package module

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// TruncatedError is a reply that the token limit cut off, so that what it says is
// not what the model wanted to say.
type TruncatedError struct {
	// Field is the output field that was cut, or for which nothing was left.
	Field string
	// MaxTokens is the limit that was asked for; 0 where the backend's own applied.
	MaxTokens int
	// Raw is the whole reply.
	Raw string
	// Err is the *adapter.ParseError of a reply that could not be read besides; nil
	// for one that could.
	Err error
}

// Error names the field and what to do.
func (e *TruncatedError) Error() string {
	limit := "the backend's limit of tokens"
	if e.MaxTokens > 0 {
		limit = fmt.Sprintf("MaxTokens(%d)", e.MaxTokens)
	}
	text := fmt.Sprintf("%s cut the reply off in the field %q; raise module.MaxTokens, or ask for less", limit, e.Field)
	if e.Err != nil {
		return text + ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the error of reading the reply, if there was one.
func (e *TruncatedError) Unwrap() error { return e.Err }

// truncated returns the error of a reply that the token limit ended before an
// output was complete, nil where all outputs are.
func (p *Predictor) truncated(t adapter.Template, in signature.Record, req *lm.Request, resp *lm.Response, out signature.Record, repairs []adapter.Repair) error {
	var name string
	if resp.Shaped && len(resp.Cut) > 0 {
		for _, cut := range resp.Cut {
			if cut != p.aside {
				name = cut
				break
			}
		}
	} else if keepsForm(req.Shape, resp) {
		name = p.cutHole(req.Shape, out, repairs)
	} else {
		name = p.cutEnd(t, in, resp.Text, out, repairs)
	}
	if name == "" || name == p.aside {
		return nil // of an answer nothing is lacking
	}
	return &TruncatedError{Field: name, MaxTokens: req.MaxTokens, Raw: resp.Text}
}

// keepsForm reports whether the backend filled the rest of the shape after the
// limit was reached: it says so, or the reply has all literals to the last.
func keepsForm(shape *lm.Shape, resp *lm.Response) bool {
	if shape == nil || resp.Shaped {
		return shape != nil
	}
	rest := resp.Text
	for _, s := range shape.Segments {
		if s.Hole != lm.HoleNone {
			continue
		}
		_, after, ok := strings.Cut(rest, s.Literal)
		if !ok {
			return false
		}
		rest = after
	}
	return rest == ""
}

// cutHole names the output that a backend which keeps the form left incomplete. It
// generates holes in order, and those behind the one that was cut stay empty;
// choices take no tokens.
func (p *Predictor) cutHole(shape *lm.Shape, out signature.Record, repairs []adapter.Repair) string {
	last := ""
	for _, s := range shape.Segments {
		if s.Hole == lm.HoleNone || s.Hole == lm.HoleChoice || s.Hole == lm.HoleBool {
			continue
		}
		if v, _ := out.Get(s.Name); (v == nil || v == "") && s.Name != p.aside {
			return s.Name
		}
		last = s.Name
	}
	if p.complete(last, out, repairs) {
		return ""
	}
	return last
}

// cutEnd names the output that the end of the reply left incomplete: the one that
// another text would come of if the reply went on, or one that never came.
func (p *Predictor) cutEnd(t adapter.Template, in signature.Record, reply string, out signature.Record, repairs []adapter.Repair) string {
	more, _, err := t.Parse(reply+"z9", in)
	last := ""
	var pe *adapter.ParseError
	if errors.As(err, &pe) {
		last = pe.Field
	} else {
		for name, v := range out.All() {
			if w, _ := more.Get(name); !signature.EqualValues(v, w) {
				last = name
			}
		}
	}
	if last == "" {
		return "" // the reply had come to its end
	}
	if last != p.aside && !p.complete(last, out, repairs) {
		return last
	}
	for _, f := range p.sig.Outputs() {
		if v, _ := out.Get(f.Name); v == nil || f.HasDefault && signature.EqualValues(v, f.Default) {
			return f.Name
		}
	}
	return ""
}

// complete reports whether an output cannot be the beginning of a longer one: a
// choice that no other begins with, or a value with closing brackets that needed no
// mending.
func (p *Predictor) complete(name string, out signature.Record, repairs []adapter.Repair) bool {
	f, ok := p.sig.Output(name)
	v, _ := out.Get(name)
	if !ok || v == nil {
		return false
	}
	switch f.Type.Kind {
	case signature.KindBool:
		return true
	case signature.KindEnum:
		return !slices.ContainsFunc(slices.Concat(f.Type.Choices, f.Type.Members), func(longer string) bool {
			s, _ := v.(string)
			return len(longer) > len(s) && strings.EqualFold(longer[:len(s)], s)
		})
	case signature.KindLiteral:
		text := fmt.Sprint(v)
		return !slices.ContainsFunc(f.Type.Literals(), func(longer signature.Value) bool {
			s := fmt.Sprint(longer)
			return len(s) > len(text) && strings.HasPrefix(s, text)
		})
	case signature.KindList, signature.KindObject, signature.KindDict, signature.KindTuple, signature.KindSet:
		return !slices.ContainsFunc(repairs, func(r adapter.Repair) bool { return r.Field == name || r.Field == "" })
	}
	return false
}

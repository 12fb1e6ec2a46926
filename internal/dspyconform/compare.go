package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// difference is something in which whet and DSPy are not alike.
type difference struct {
	c *testCase
	// sig is the signature as whet has it, nil where there is none.
	sig *signature.Signature
	// where is the comparison: "chat messages", "json reply" and so on.
	where string
	// reply is the reply that was read, if one was.
	reply reply
	// field is the field that differs, its type nil if it is no single one.
	field signature.Field
	// repaired says that whet reports a repair of the reply.
	repaired bool
	// whet and dspy are what each did; an error begins with "error: ".
	whet, dspy string
}

// String shows the case and the first place that differs.
func (d difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", d.c.name, d.where)
	if d.field.Type != nil {
		fmt.Fprintf(&b, ", field %s (%s)", d.field.Name, d.field.Type)
	}
	if d.c.text != nil {
		fmt.Fprintf(&b, "\n  signature %q", *d.c.text)
	}
	if d.reply.text != "" {
		fmt.Fprintf(&b, "\n  reply (%s) %s", d.reply.form, clip(d.reply.text, 0))
	}
	at := 0
	for at < len(d.whet) && at < len(d.dspy) && d.whet[at] == d.dspy[at] {
		at++
	}
	fmt.Fprintf(&b, "\n  DSPy  %s\n  whet  %s", clip(d.dspy, at), clip(d.whet, at))
	return b.String()
}

// kind groups differences that are likely to have one cause.
func (d difference) kind() string {
	kind := d.where
	if t := d.field.Type; t != nil {
		kind += " " + t.String()
		if t.Kind >= signature.KindEnum || t.Optional {
			kind = fmt.Sprintf("%s of kind %d", d.where, t.Kind)
		}
	}
	for _, s := range []string{d.whet, d.dspy} {
		if strings.HasPrefix(s, "error: ") {
			kind += " with an error of " + map[bool]string{true: "whet", false: "DSPy"}[s == d.whet]
		}
	}
	return kind
}

// clip quotes a text around a place.
func clip(s string, at int) string {
	const before, after = 60, 240
	from, to := max(0, at-before), min(len(s), at+after)
	out := fmt.Sprintf("%+q", s[from:to])
	if from > 0 {
		out = fmt.Sprintf("...%s (from byte %d)", out, from)
	}
	if to < len(s) {
		out += "..."
	}
	return out
}

// checker compares one case.
type checker struct {
	c      *testCase
	a      *answer
	sig    *signature.Signature
	report *report
	// sameChat says that Chat's messages are equal.
	sameChat bool
}

func (k *checker) differ(where, whet, dspy string) {
	k.report.add(difference{c: k.c, sig: k.sig, where: where, whet: whet, dspy: dspy})
}

// signature compares what both make of the signature's text, fields and edits.
func (k *checker) signature(err error) bool {
	k.report.count("signature")
	refused := k.a.Signature.failed()
	switch {
	case err != nil && refused:
		return false
	case err != nil:
		k.differ("signature", "error: "+err.Error(), string(k.a.Signature.OK))
		return false
	case refused:
		k.differ("signature", describeSignature(k.sig), "error: "+k.a.Signature.Error+": "+k.a.Signature.Text)
		return false
	}
	want, got := describeDSPy(k.a.Signature.OK), describeSignature(k.sig)
	if got != want {
		k.differ("signature", got, want)
	}
	return got == want
}

func describeSignature(sig *signature.Signature) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", sig.Instructions())
	for i, fields := range [][]signature.Field{sig.Inputs(), sig.Outputs()} {
		b.WriteString([]string{" inputs:", " outputs:"}[i])
		for _, f := range fields {
			desc := f.Desc
			if desc == "" {
				desc = "${" + f.Name + "}"
			}
			fmt.Fprintf(&b, " %s|%s|%q|%s|%s;", f.Name, f.Type, desc, f.Prefix(), f.ConstraintText())
		}
	}
	return b.String()
}

func describeDSPy(raw json.RawMessage) string {
	type field struct{ Name, Type, Desc, Prefix, Constraints string }
	var d struct {
		Instructions    string
		Inputs, Outputs []field
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return err.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%q", d.Instructions)
	for i, fields := range [][]field{d.Inputs, d.Outputs} {
		b.WriteString([]string{" inputs:", " outputs:"}[i])
		for _, f := range fields {
			fmt.Fprintf(&b, " %s|%s|%q|%s|%s;", f.Name, f.Type, f.Desc, f.Prefix, f.Constraints)
		}
	}
	return b.String()
}

// messages compares what an adapter sends.
func (k *checker) messages(name string, a adapter.Adapter, want outcome) bool {
	k.report.count(name + " messages")
	got, _, err := render(a, k.sig, k.c.demos, k.c.in)
	return k.compareMessages(name+" messages", got, err, want)
}

func (k *checker) compareMessages(where string, got []string, err error, want outcome) bool {
	switch {
	case err != nil && want.failed():
		return true
	case err != nil:
		k.differ(where, "error: "+err.Error(), string(want.OK))
		return false
	case want.failed():
		k.differ(where, strings.Join(got, "\n---\n"), "error: "+want.Error+": "+want.Text)
		return false
	}
	sent, err := dspyMessages(want.OK)
	if err != nil {
		k.differ(where, strings.Join(got, "\n---\n"), "error: "+err.Error())
		return false
	}
	for i := range max(len(sent), len(got)) {
		var w, d string
		if i < len(got) {
			w = got[i]
		}
		if i < len(sent) {
			d = sent[i]
		}
		if w != d {
			k.differ(where, fmt.Sprintf("%d: %s", i, w), fmt.Sprintf("%d: %s", i, d))
			return false
		}
	}
	return true
}

// replies compares what an adapter reads; where says in which mode.
func (k *checker) replies(name, where string, a adapter.Adapter, replies []reply, want []outcome) {
	t, err := a.Prepare(adapter.Program{Signature: k.sig})
	if err != nil {
		return // the messages differ, and that has been said
	}
	for i, r := range replies {
		k.report.count(name + where)
		got, repairs, err := parse(t, r.text, k.c.in)
		k.reply(difference{c: k.c, where: name + where, reply: r, repaired: len(repairs) > 0}, got, err, want[i])
	}
}

// parse is t.Parse; a panic is an error here, so that one of them does not hide all
// other differences.
func parse(t adapter.Template, text string, in signature.Record) (got signature.Record, repairs []adapter.Repair, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return t.Parse(text, in)
}

var errPanic = errors.New("panic")

func (k *checker) reply(d difference, got signature.Record, err error, want outcome) {
	switch {
	case err != nil && want.failed() && !errors.Is(err, errPanic):
		return
	case want.failed() && err == nil:
		d.whet, d.dspy = show(got), "error: "+want.Error+": "+want.Text
		k.report.add(d)
		return
	}
	if want.failed() {
		d.whet, d.dspy = "error: "+err.Error(), "error: "+want.Error+": "+want.Text
		k.report.add(d)
		return
	}
	wanted, perr := signature.ParseRecord(want.OK)
	if perr != nil {
		d.whet, d.dspy = show(got), "error: "+perr.Error()
		k.report.add(d)
		return
	}
	if err != nil {
		var pe *adapter.ParseError
		if asParseError(err, &pe) {
			d.field, _ = k.sig.Output(pe.Field)
		}
		d.whet, d.dspy = "error: "+err.Error(), show(plainValue(wanted))
		k.report.add(d)
		return
	}
	_, pairs := wanted.At(0)
	found := false
	for _, p := range pairs.([]signature.Value) {
		pair := p.([]signature.Value)
		v, ok := got.Get(pair[0].(string))
		if !ok || !sameValue(v, pair[1]) {
			d.field, _ = k.sig.Output(pair[0].(string))
			d.whet, d.dspy = show(v), show(plainValue(pair[1]))
			k.report.add(d)
			found = true
		}
	}
	if !found && !sameValue(got, wanted) {
		d.whet, d.dspy = show(got), show(plainValue(wanted))
		k.report.add(d)
	}
}

// format compares the schema of the object that JSON asks for.
func (k *checker) format(a adapter.Adapter, want outcome) {
	k.report.count("response formats")
	_, req, err := render(a, k.sig, nil, k.c.in)
	if err != nil || want.failed() {
		return // the messages have shown it
	}
	got := signature.RecordOf("type", "json_object")
	if f := req.ResponseFormat; f != nil && len(f.Schema) > 0 {
		if got, err = signature.ParseRecord(f.Schema); err != nil {
			k.differ("response formats", "error: "+err.Error(), string(want.OK))
			return
		}
	}
	wanted, err := signature.ParseRecord(want.OK)
	if err != nil || !sameSchema(got, wanted) {
		k.differ("response formats", show(sorted(got)), show(sorted(wanted)))
	}
}

// sameSchema compares schemas; the order of their keys is of no meaning.
func sameSchema(a, b signature.Value) bool { return signature.EqualValues(sorted(a), sorted(b)) }

// sorted sorts the keys of a value at every level, but for those of an object's
// properties, whose order a model sees.
func sorted(v signature.Value) signature.Value {
	switch v := v.(type) {
	case []signature.Value:
		out := make([]signature.Value, len(v))
		for i, item := range v {
			out[i] = sorted(item)
		}
		return out
	case signature.Record:
		var names []string
		for name := range v.All() {
			names = append(names, name)
		}
		slices.Sort(names)
		var out signature.Record
		for _, name := range names {
			item, _ := v.Get(name)
			if props, ok := item.(signature.Record); ok && name == "properties" {
				var kept signature.Record
				for n, p := range props.All() {
					kept = kept.With(n, sorted(p))
				}
				item = kept
			} else {
				item = sorted(item)
			}
			out = out.With(name, item)
		}
		return out
	}
	return v
}

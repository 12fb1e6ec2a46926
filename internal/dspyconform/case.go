package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/whetgo/whet/signature"
)

// testCase is one program and what is put to it.
type testCase struct {
	id   int
	name string
	// text is the signature in DSPy's form, nil where fields say what it holds.
	text            *string
	inputs, outputs []signature.Field
	// instructions are nil for the default.
	instructions *string
	edits        []edit
	// cot makes it a chain of thought.
	cot bool
	// lm is the name of a model that the state holds, "" for none.
	lm    string
	demos []signature.Record
	in    signature.Record
	// chat and json are replies.
	chat, json []reply
}

// reply is what a model might say.
type reply struct {
	text string
	// form says what is special about it, for a difference to be recognised by.
	form string
}

// edit is a change of a signature.
type edit struct {
	op    string // of signature.Signature or of DSPy
	text  string
	name  string
	field signature.Field
	input bool
	index int
}

// generate makes the case number id of a seed.
func generate(seed uint64, id int) *testCase {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(id)))}
	c := &testCase{id: id, name: fmt.Sprintf("seed %d case %d", seed, id)}
	if id%6 == 5 {
		g.textSignature(c)
	} else {
		g.fields(c, id)
	}
	if chance(g.Rand, 2) {
		s := g.instructions()
		c.instructions = &s
	}
	if chance(g.Rand, 4) {
		g.edits(c)
	}
	c.cot = chance(g.Rand, 6)
	if chance(g.Rand, 8) {
		c.lm = "openai/gpt-4o-mini"
	}
	sig, err := c.program()
	if err != nil { // both refuse it, or that is a difference
		return c
	}
	for range g.IntN(4) {
		c.demos = append(c.demos, g.demo(sig))
	}
	for _, f := range sig.Inputs() {
		if chance(g.Rand, 12) && len(sig.Inputs()) > 1 {
			continue // not given
		}
		c.in = c.in.With(f.Name, g.input(f, sig))
	}
	for range 4 {
		c.chat = append(c.chat, g.chatReply(sig))
		c.json = append(c.json, g.jsonReply(sig))
	}
	return c
}

var fieldNames = []string{"text", "answer", "label", "next_query", "camelCase", "item2", "HTML", "score", "zażółć", "a", "context", "x_1"}

// fields chooses a case's fields.
func (g *generator) fields(c *testCase, id int) {
	names := g.Perm(len(fieldNames))
	next := func(t *signature.Type) signature.Field {
		f := signature.Field{Name: fieldNames[names[0]], Type: t}
		names = names[1:]
		if chance(g.Rand, 3) {
			f.Desc = text(g.Rand)
		}
		return f
	}
	for range g.IntN(3) {
		t := plainType(signature.KindString)
		if chance(g.Rand, 2) {
			t = pick(g.Rand, families)(g)
		}
		f := next(t)
		g.constrain(&f)
		c.inputs = append(c.inputs, f)
	}
	if id%3 == 0 {
		c.inputs = append(c.inputs, next(g.special(id/3)))
	}
	if len(c.inputs) == 0 {
		c.inputs = append(c.inputs, next(plainType(signature.KindString)))
	}
	for i := range 1 + g.IntN(3) {
		t := families[(id+i*7)%len(families)](g)
		if chance(g.Rand, 4) {
			t = plainType(signature.KindString)
		}
		f := next(t)
		g.constrain(&f)
		if chance(g.Rand, 6) {
			f.Default, f.HasDefault = g.value(f), true
		}
		c.outputs = append(c.outputs, f)
	}
}

// special is a type that only inputs have.
func (g *generator) special(i int) *signature.Type {
	switch i % 7 {
	case 0:
		return plainType(signature.KindImage)
	case 1:
		return plainType(signature.KindAudio)
	case 2:
		return plainType(signature.KindFile)
	case 3:
		return plainType(signature.KindHistory)
	case 4:
		return signature.ListOf(plainType(signature.KindTool))
	case 5:
		return plainType(signature.KindTool)
	default:
		return signature.ListOf(plainType(signature.KindImage))
	}
}

func (g *generator) instructions() string {
	return pick(g.Rand, []string{
		"Answer the question.", "  Indented.\n    More.\n  Back.", "\n\n    A docstring.\n\n    With a blank line.   \n    ", "First\n\tTabbed\n\tAgain",
		"One line\u2028two\vthree\x1cfour", "Trailing  \n\n\n", "Say \"hi\" to `x`; [[ ## answer ## ]]", "zażółć 😀\r\nCRLF", "a\n\n\n  b\n      c", " \n x",
		"Head\n    body\n  less\n        deep", "First\n\u00a0\u00a0two\n\u3000three", text(g.Rand) + "!",
	})
}

// input makes the value of an input.
func (g *generator) input(f signature.Field, sig *signature.Signature) signature.Value {
	switch {
	case f.Type.Kind == signature.KindHistory:
		turns := []signature.Value{}
		for range g.IntN(3) {
			turns = append(turns, g.turn(sig))
		}
		return signature.RecordOf("messages", turns)
	case f.Type.Kind == signature.KindString && !f.Type.Optional && chance(g.Rand, 10):
		items := make([]signature.Value, g.IntN(4))
		for i := range items {
			items[i] = text(g.Rand)
		}
		return items
	}
	return g.value(f)
}

// turn is a turn of a conversation.
func (g *generator) turn(sig *signature.Signature) signature.Record {
	var r signature.Record
	for _, f := range sig.Fields() {
		if f.Type.Kind == signature.KindHistory || chance(g.Rand, 8) {
			continue
		}
		r = r.With(f.Name, g.value(f))
	}
	return r
}

// demo is a demo, from which a field may be missing.
func (g *generator) demo(sig *signature.Signature) signature.Record {
	var r signature.Record
	whole := chance(g.Rand, 2)
	for _, f := range sig.Fields() {
		if !whole && chance(g.Rand, 4) {
			continue
		}
		if !whole && chance(g.Rand, 12) {
			r = r.With(f.Name, nil)
			continue
		}
		r = r.With(f.Name, g.input(f, sig))
	}
	if chance(g.Rand, 5) {
		r = r.With("extra", "not a field")
	}
	return r
}

// edits are one to three changes.
func (g *generator) edits(c *testCase) {
	for i := range 1 + g.IntN(3) {
		f := signature.Field{Name: fmt.Sprintf("new_%d", i), Type: pick(g.Rand, families)(g)}
		if chance(g.Rand, 2) {
			f.Desc = text(g.Rand)
		}
		e := edit{op: pick(g.Rand, []string{"prepend", "append", "insert", "delete", "with_instructions", "append_instructions", "describe"}), field: f}
		e.input, e.index = chance(g.Rand, 2), g.IntN(9)-4
		e.text = g.instructions()
		if fields := append(c.inputs[:len(c.inputs):len(c.inputs)], c.outputs...); len(fields) > 0 {
			e.name = pick(g.Rand, fields).Name
			if e.op == "delete" && len(c.outputs) == 1 && e.name == c.outputs[0].Name {
				e.name = fields[0].Name // DSPy and whet differ about a predictor without outputs
			}
		}
		if e.name == "" && (e.op == "delete" || e.op == "describe") {
			continue
		}
		c.edits = append(c.edits, e)
	}
}

func (e edit) apply(s *signature.Signature) (*signature.Signature, error) {
	switch e.op {
	case "with_instructions":
		return s.WithInstructions(e.text), nil
	case "append_instructions":
		return s.AppendInstructions(e.text), nil
	case "delete":
		return s.Delete(e.name)
	case "describe":
		f, ok := s.Input(e.name)
		if !ok {
			f, _ = s.Output(e.name)
		}
		f.Name, f.Desc = e.name, e.text
		return s.WithField(f)
	case "prepend":
		if e.input {
			return s.PrependInput(e.field)
		}
		return s.PrependOutput(e.field)
	case "append":
		if e.input {
			return s.AppendInput(e.field)
		}
		return s.AppendOutput(e.field)
	}
	if e.input {
		return s.InsertInput(e.index, e.field)
	}
	return s.InsertOutput(e.index, e.field)
}

// program makes the case's signature, edited.
func (c *testCase) program() (*signature.Signature, error) {
	var sig *signature.Signature
	var err error
	instructions := ""
	if c.instructions != nil {
		instructions = *c.instructions
	}
	if c.text != nil {
		sig, err = signature.Parse(*c.text, signature.Instructions(instructions))
	} else {
		sig, err = signature.New(instructions, c.inputs, c.outputs)
	}
	for _, e := range c.edits {
		if err != nil {
			return nil, err
		}
		sig, err = e.apply(sig)
	}
	return sig, err
}

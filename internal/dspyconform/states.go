package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// states compares saved programs: one that DSPy saved is loaded by whet and saved
// again, and one that whet made is saved. DSPy must load both, hold the same state,
// and send the messages that whet sends.
func (k *checker) states(ctx context.Context, o *oracle) error {
	if !k.a.State.failed() {
		k.report.count("states of DSPy")
		if err := k.fromDSPy(ctx, o); err != nil {
			return err
		}
	}
	k.report.count("states of whet")
	return k.fromWhet(ctx, o)
}

// newProgram makes the case's program anew.
func (k *checker) newProgram() (any, *module.Predictor, error) {
	sig, err := k.c.program()
	if err != nil {
		return nil, nil, err
	}
	var program any
	option := module.WithAdapter(adapter.Chat{Strict: true, KeepMarkers: true})
	if k.c.cot {
		program, err = module.NewDynamicChainOfThought(sig, option)
	} else {
		program, err = module.NewDynamic(sig, option)
	}
	if err != nil {
		return nil, nil, err
	}
	named, err := module.Predictors(program)
	if err != nil {
		return nil, nil, err
	}
	return program, named[0].Predictor, nil
}

func (k *checker) fromDSPy(ctx context.Context, o *oracle) error {
	const where = "states of DSPy"
	var file string
	if err := json.Unmarshal(k.a.State.OK, &file); err != nil {
		return err
	}
	before, refused, err := o.load(k.c, []byte(file))
	if err != nil || refused != "" {
		return err // DSPy itself may not load what it saved
	}
	program, p, err := k.newProgram()
	var again []byte
	if err == nil {
		if _, err = module.Unmarshal([]byte(file), program); err == nil {
			again, err = module.Marshal(program)
		}
	}
	if err != nil {
		return k.fails(where, err, file)
	}
	return k.compareState(ctx, o, where, p, again, before)
}

// fails notes an error of whet's, which is no error of the comparison.
func (k *checker) fails(where string, err error, dspy string) error {
	k.differ(where, "error: "+err.Error(), dspy)
	return nil
}

// fromWhet saves a state that only whet has had, with other instructions and another
// description than the signature's.
func (k *checker) fromWhet(ctx context.Context, o *oracle) error {
	const where = "states of whet"
	program, p, err := k.newProgram()
	if err != nil {
		return k.fails(where, err, "")
	}
	s := module.State{Instructions: "Other instructions.\n\n  For " + k.c.name + ".", Descriptions: map[string]string{}}
	for _, f := range p.Signature().Fields()[:1] {
		s.Descriptions[f.Name] = "another description"
	}
	for i, d := range k.c.demos {
		s.Demos = append(s.Demos, module.Demo{Fields: d, Augmented: i%2 == 1})
	}
	var file []byte
	if err = p.SetState(s); err == nil {
		file, err = module.Marshal(program)
	}
	if err != nil {
		return k.fails(where, err, "")
	}
	return k.compareState(ctx, o, where, p, file, nil)
}

// compareState has DSPy load a file of whet's. want is what DSPy should hold then,
// nil for what the file holds.
func (k *checker) compareState(ctx context.Context, o *oracle, where string, p *module.Predictor, file []byte, want *loaded) error {
	after, refused, err := o.load(k.c, file)
	if err != nil {
		return err
	}
	if refused != "" {
		k.differ(where, string(file), refused)
		return nil
	}
	state, err := withoutOwn(file)
	if err != nil {
		return err
	}
	wanted, messages := state, after.Messages
	if want != nil {
		messages = want.Messages
		if wanted, err = signature.ParseRecord(want.State); err != nil {
			return err
		}
		if !state.Equal(wanted) {
			k.differ(where, show(state), show(wanted))
			return nil
		}
	}
	got, err := signature.ParseRecord(after.State)
	if err != nil {
		return err
	}
	if !got.Equal(wanted) {
		k.differ(where, show(wanted), show(got))
		return nil
	}
	if !k.sameChat {
		return nil // the messages differ without a file, too
	}
	sent, err := sentMessages(ctx, p, k.c.in)
	k.compareMessages(where, sent, err, outcome{OK: messages})
	return nil
}

// withoutOwn reads a file of whet's without what DSPy does not have.
func withoutOwn(file []byte) (signature.Record, error) {
	r, err := signature.ParseRecord(file)
	if err != nil {
		return signature.Record{}, err
	}
	return r.Without("metadata"), nil
}

func show(v signature.Value) string {
	s, err := signature.MarshalPython(v)
	if err != nil {
		return fmt.Sprint(err)
	}
	return s
}

// sentMessages returns what a predictor sends. The reply is of no use, and so
// neither is the error that it makes.
func sentMessages(ctx context.Context, p *module.Predictor, in signature.Record) ([]string, error) {
	model := lmtest.Script("no answer")
	_, err := p.Call(lm.With(ctx, model), in)
	if requests := model.Requests(); len(requests) == 1 {
		return messagesOf(requests[0].Messages), nil
	}
	return nil, err
}

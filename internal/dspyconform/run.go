package main

import (
	"context"
	"errors"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

func asParseError(err error, to **adapter.ParseError) bool { return errors.As(err, to) }

// compare puts cases of a seed to both and returns what it saw.
func compare(ctx context.Context, python string, seed uint64, from, n int) (*report, error) {
	o, err := startOracle(ctx, python)
	if err != nil {
		return nil, err
	}
	r := newReport()
	cases := fixed()
	for i := from; i < from+n; i++ {
		cases = append(cases, generate(seed, i))
	}
	for _, c := range cases {
		if err := check(ctx, o, c, r); err != nil {
			return nil, err
		}
	}
	return r, o.close()
}

func check(ctx context.Context, o *oracle, c *testCase, r *report) error {
	a, err := o.run(c)
	if err != nil {
		return err
	}
	r.cases++
	k := &checker{c: c, a: a, report: r}
	k.sig, err = c.program()
	if err == nil && c.cot {
		k.sig, err = withReasoning(k.sig)
	}
	if !k.signature(err) {
		return nil
	}
	chat, json := adapter.Chat{Strict: true, KeepMarkers: true}, adapter.JSON{Strict: true, KeepMarkers: true}
	k.sameChat = k.messages("chat", chat, a.Chat)
	k.hidden("chat", adapter.Chat{}, a.Chat)
	k.messages("json", json, a.JSON)
	k.hidden("json", adapter.JSON{}, a.JSON)
	k.format(json, a.Format)
	k.replies("chat", " reply", chat, c.chat, a.ChatReplies)
	k.replies("chat", " reply by default", adapter.Chat{}, c.chat, a.ChatReplies)
	k.replies("json", " reply", json, c.json, a.JSONReplies)
	k.replies("json", " reply by default", adapter.JSON{}, c.json, a.JSONReplies)
	k.restored(adapter.Chat{}, alone, inJSON)
	k.restored(adapter.JSON{}, exact, exact)
	if len(k.sig.Outputs()) == 0 {
		return nil
	}
	return k.states(ctx, o)
}

// withReasoning is the signature of a chain of thought.
func withReasoning(sig *signature.Signature) (*signature.Signature, error) {
	return sig.PrependOutput(signature.Field{Name: "reasoning", Type: plainType(signature.KindString)})
}

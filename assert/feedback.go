package assert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// What the inputs of a retry prompt are called, as in DSPy.
const (
	pastPrefix    = "past_"
	feedbackField = "feedback"
)

// freeName returns a name that the signature does not have: the one wished for, with
// underscores behind it where that is taken.
func freeName(sig *signature.Signature, name string) string {
	for {
		_, in := sig.Input(name)
		if _, out := sig.Output(name); !in && !out {
			return name
		}
		name += "_"
	}
}

// pastOf returns what a predictor has answered as inputs of its retry prompt. The result
// is never nil.
func pastOf(who *module.Predictor, out signature.Record) []module.ExtraInput {
	past := []module.ExtraInput{}
	for _, f := range who.Signature().Outputs() {
		if v, ok := out.Get(f.Name); ok {
			past = append(past, pastInput(who, f, f.Type, v))
		}
	}
	return past
}

func pastInput(who *module.Predictor, f signature.Field, t *signature.Type, v signature.Value) module.ExtraInput {
	return module.ExtraInput{
		Field: signature.Field{
			Name: freeName(who.Signature(), pastPrefix+f.Name), Type: t,
			Desc: fmt.Sprintf("the `%s` of an earlier try, which was not good enough", f.Name),
		},
		Value: v, Untraced: true,
	}
}

// withFeedback returns a call's extra inputs with those of a retry prompt, in place of the
// answer to again. Where a Wrapped inside has put some there, the feedback is that of both,
// and of the past outputs the later ones stay: ours, where it is again that is asked.
func withFeedback(asked, again *call, feedback string) []module.ExtraInput {
	c, ours := asked.asked, sameCall(asked, again)
	name := freeName(c.Predictor.Signature(), feedbackField)
	var extra []module.ExtraInput
	has := map[string]bool{}
	for _, x := range c.Extra {
		if text, ok := x.Value.(string); ok && x.Field.Name == name {
			if !strings.Contains("\n"+text+"\n", "\n"+feedback+"\n") {
				feedback = text + "\n" + feedback
			} else {
				feedback = text
			}
			continue
		}
		isPast := func(p module.ExtraInput) bool { return p.Field.Name == x.Field.Name }
		if ours && slices.ContainsFunc(again.past, isPast) {
			continue
		}
		has[x.Field.Name] = true
		extra = append(extra, x)
	}
	for _, x := range again.past {
		if !has[x.Field.Name] {
			extra = append(extra, x)
		}
	}
	return append(extra, module.ExtraInput{
		Field: signature.Field{
			Name: name, Type: &signature.Type{Kind: signature.KindString},
			Desc: "what the answer must meet and the earlier try did not",
		},
		Value: feedback,
	})
}

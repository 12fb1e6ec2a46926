package module_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// BenchmarkPredict measures what whet adds to a model call: the model answers at
// once.
func BenchmarkPredict(b *testing.B) {
	resp := &lm.Response{Text: reply("label", "ham")}
	model := lm.Func(func(context.Context, *lm.Request) (*lm.Response, error) { return resp, nil })
	for _, demos := range []int{0, 8} {
		b.Run(fmt.Sprintf("demos=%d", demos), func(b *testing.B) {
			p := module.MustPredict[sms, verdict](smsInstructions, module.WithLM(model))
			var state module.State
			for i := range demos {
				state.Demos = append(state.Demos, module.Demo{Fields: signature.RecordOf("text", fmt.Sprintf("message %d", i), "label", "ham")})
			}
			if err := p.Predictor().SetState(state); err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Run(ctx, sms{"Your parcel waits, see the link."}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

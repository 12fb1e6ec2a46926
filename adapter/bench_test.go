package adapter_test

import (
	"fmt"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/signature"
)

// BenchmarkTemplate measures what a call costs an adapter with 8 demos: Prepare is
// done once, Request and Parse are not.
func BenchmarkTemplate(b *testing.B) {
	var demos []signature.Record
	for i := range 8 {
		demos = append(demos, signature.RecordOf("text", fmt.Sprintf("message number %d, see you at five", i), "label", "ham"))
	}
	in := signature.RecordOf("text", "URGENT! Your account is locked, visit http://x.co/1 now or lose your money today")
	for _, c := range []struct {
		adapter adapter.Adapter
		reply   string
	}{
		{adapter.Chat{}, "[[ ## label ## ]]\nspam\n\n[[ ## completed ## ]]"},
		{adapter.Compact{}, " spam\n"},
	} {
		tmpl := prepare(b, c.adapter, adapter.Program{Signature: sigOf[smsText, smsVerdict](b), Demos: demos})
		b.Run(c.adapter.Name()+"/request", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tmpl.Request(in); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.adapter.Name()+"/parse", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := tmpl.Parse(c.reply, signature.Record{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

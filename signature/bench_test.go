package signature_test

import (
	"testing"
	"time"

	"github.com/whetgo/whet/signature"
)

type benchRow struct {
	Text  string
	Label string `enum:"ham,spam"`
	Count int
	Score float64
	At    time.Time
	Tags  []string
}

func BenchmarkCodec(b *testing.B) {
	row := benchRow{Text: "see you at five", Label: "ham", Count: 3, Score: 0.5, At: time.Unix(0, 0), Tags: []string{"a", "b"}}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := signature.Encode(&row); err != nil {
				b.Fatal(err)
			}
		}
	})
	rec, err := signature.Encode(row)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var out benchRow
			if err := signature.Decode(rec, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}

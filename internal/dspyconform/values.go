package main

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/whetgo/whet/signature"
)

// value makes a value of a field that meets its constraints.
func (g *generator) value(f signature.Field) signature.Value {
	if f.Type.Optional && chance(g.Rand, 4) {
		return nil
	}
	if len(f.Constraints) == 0 {
		return g.of(f.Type, 2)
	}
	switch f.Type.Kind {
	case signature.KindInt:
		return pick(g.Rand, []signature.Value{int64(0), int64(5), int64(10)})
	case signature.KindFloat:
		return pick(g.Rand, []signature.Value{0.5, 1.0, 1.5, 1e-7})
	case signature.KindString:
		return pick(g.Rand, []signature.Value{"abc", "xy", "lowerca"})
	}
	list := g.list(f.Type.Elem, g.IntN(4), 1)
	if len(list) == 0 {
		list = []signature.Value{g.of(f.Type.Elem, 1)}
	}
	return list
}

// of makes a value of a type; depth bounds what is inside values of any type.
func (g *generator) of(t *signature.Type, depth int) signature.Value {
	if t == nil {
		return g.any(depth)
	}
	if t.Optional && chance(g.Rand, 5) {
		return nil
	}
	switch t.Kind {
	case signature.KindString, signature.KindReasoning:
		return text(g.Rand)
	case signature.KindCode: // DSPy takes fences off already when the value is made
		return strings.ReplaceAll(text(g.Rand), "```", "~~~")
	case signature.KindInt:
		return pick(g.Rand, []int64{0, 1, -1, 7, 42, 1000000, -12345678901, math.MaxInt64, math.MinInt64})
	case signature.KindFloat:
		return pick(g.Rand, []float64{0, 1, -1.5, 0.1, 3.141592653589793, 1e16, 1e-5, 1.5e300, 5e-324, 100000, 123456789.125, -0.0001, 1e15, 9007199254740993})
	case signature.KindBool:
		return chance(g.Rand, 2)
	case signature.KindTime:
		return g.time()
	case signature.KindEnum, signature.KindLiteral:
		return pick(g.Rand, t.Literals())
	case signature.KindList:
		return g.list(t.Elem, g.IntN(4), depth)
	case signature.KindSet:
		if t.Elem != nil && t.Elem.Kind == signature.KindInt { // in the order in which Python has them
			return pick(g.Rand, []signature.Value{[]signature.Value{int64(1), int64(2), int64(5)}, []signature.Value{}, []signature.Value{int64(3)}})
		}
		return g.list(t.Elem, g.IntN(2), depth)
	case signature.KindTuple:
		if t.Items == nil {
			return g.list(t.Elem, g.IntN(4), depth)
		}
		out := make([]signature.Value, len(t.Items))
		for i, item := range t.Items {
			out[i] = g.of(item, depth-1)
		}
		return out
	case signature.KindDict:
		return g.record(t, depth)
	case signature.KindUnion:
		return g.of(pick(g.Rand, t.Items), depth)
	case signature.KindObject:
		var r signature.Record
		for _, f := range t.Fields {
			r = r.With(f.Name, g.value(f))
		}
		return r
	case signature.KindNone:
		return nil
	case signature.KindAny:
		return g.any(depth)
	}
	return g.builtin(t.Kind)
}

func (g *generator) time() time.Time {
	zone := pick(g.Rand, []*time.Location{time.UTC, time.FixedZone("", 2*3600), time.FixedZone("", -(5*3600 + 1800))})
	ns := pick(g.Rand, []int{0, 0, 123456000, 500000000})
	return time.Date(1970+g.IntN(100), time.Month(1+g.IntN(12)), 1+g.IntN(28), g.IntN(24), g.IntN(60), g.IntN(60), ns, zone)
}

func (g *generator) list(elem *signature.Type, n, depth int) []signature.Value {
	out := make([]signature.Value, n)
	for i := range out {
		out[i] = g.of(elem, depth-1)
	}
	return out
}

func (g *generator) record(t *signature.Type, depth int) signature.Record {
	var r signature.Record
	for i := range g.IntN(4) {
		name := text(g.Rand)
		if t.Key != nil && t.Key.Kind == signature.KindInt {
			name = strconv.Itoa(g.IntN(100) - 10)
		} else if chance(g.Rand, 2) {
			name = []string{"a", "b key", "c"}[i%3]
		}
		r = r.With(name, g.of(t.Elem, depth-1))
	}
	return r
}

// any makes a value of no declared type.
func (g *generator) any(depth int) signature.Value {
	kinds := 7
	if depth <= 0 {
		kinds = 5
	}
	switch g.IntN(kinds) {
	case 0:
		return nil
	case 1:
		return chance(g.Rand, 2)
	case 2:
		return g.of(plainType(signature.KindInt), 0)
	case 3:
		return g.of(plainType(signature.KindFloat), 0)
	case 4:
		return text(g.Rand)
	case 5:
		return g.list(nil, g.IntN(3), depth)
	default:
		return g.record(signature.DictOf(nil, nil), depth)
	}
}

// builtin makes a value of a type that DSPy brings along.
func (g *generator) builtin(k signature.Kind) signature.Value {
	png := signature.DataURI("image/png", []byte("\x89PNG not really"))
	switch k {
	case signature.KindImage:
		return pick(g.Rand, []signature.Value{
			signature.RecordOf("url", "https://example.com/cat.png?a=1&b=2"), signature.RecordOf("url", png),
		})
	case signature.KindAudio:
		return signature.RecordOf("data", "UklGRg==", "audio_format", pick(g.Rand, []string{"wav", "mp3"}))
	case signature.KindFile:
		return pick(g.Rand, []signature.Value{
			signature.RecordOf("file_data", signature.DataURI("application/pdf", []byte("%PDF")), "filename", "a \"b\".pdf"),
			signature.RecordOf("file_id", "file-123"),
			signature.RecordOf("file_data", signature.DataURI("text/plain", []byte("hi"))),
		})
	case signature.KindTool:
		return signature.RecordOf("name", pick(g.Rand, []string{"search", "add"}), "desc", pick(g.Rand, []string{"", "Finds things.", "Two\nlines and 'quotes'"}),
			"args", signature.RecordOf("query", signature.RecordOf("type", "string"), "k", signature.RecordOf("type", "integer", "default", int64(3))))
	case signature.KindToolCalls:
		var calls []signature.Value
		for range g.IntN(3) {
			calls = append(calls, signature.RecordOf("name", pick(g.Rand, []string{"search", "finish"}), "args", g.record(signature.DictOf(nil, nil), 1)))
		}
		if calls == nil {
			calls = []signature.Value{}
		}
		return signature.RecordOf("tool_calls", calls)
	}
	panic("no value of kind " + strconv.Itoa(int(k)))
}

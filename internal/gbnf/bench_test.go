package gbnf

import (
	"strings"
	"testing"
)

const benchSchema = `{"type": "object", "properties": {"name": {"type": "string", "maxLength": 200}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
	"tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]}}, "address": {"type": "object", "properties": {"street": {"type": "string"}, "zip": {"type": "string", "pattern": "^[0-9]{5}$"}}}},
	"required": ["name", "age", "tags"]}`

const benchText = `{"name": "Zoë Müller", "age": 42, "tags": ["red", "blue"], "address": {"street": "Am Brunnen 3", "zip": "12345"}}`

// BenchmarkReject is a token that a state refuses at its last byte.
func BenchmarkReject(b *testing.B) {
	s := mustAdvance(b, schema(b, benchSchema).Start(), `{"name": "Zo`)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.Advance("ab c\n"); ok {
			b.Fatal("accepted")
		}
	}
}

// BenchmarkAdvance is a text of which all states are known; per byte.
func BenchmarkAdvance(b *testing.B) {
	s := schema(b, benchSchema).Start()
	b.SetBytes(int64(len(benchText)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.Advance(benchText); !ok {
			b.Fatal("refused")
		}
	}
}

// BenchmarkFirst is the same text with nothing known but the program.
func BenchmarkFirst(b *testing.B) {
	g := schema(b, benchSchema)
	p := compile(g.root)
	b.SetBytes(int64(len(benchText)))
	b.ReportAllocs()
	for b.Loop() {
		g.current.Store(newCache(p, &g.mu, &g.current, cacheBytes))
		if _, ok := (State{g.current.Load().start}).Advance(benchText); !ok {
			b.Fatal("refused")
		}
	}
}

// BenchmarkFirstReject refuses tokens of 5 bytes in states that were never asked before:
// what a step of generation does, with texts that are all different.
func BenchmarkFirstReject(b *testing.B) {
	g := schema(b, benchSchema)
	p := compile(g.root)
	b.ReportAllocs()
	for b.Loop() {
		g.current.Store(newCache(p, &g.mu, &g.current, cacheBytes))
		s := State{g.current.Load().start}
		if _, ok := s.Advance("{\"nam\n"); ok {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkShortest(b *testing.B) {
	s := mustAdvance(b, schema(b, benchSchema).Start(), `{"name": "Zo`)
	b.ReportAllocs()
	for b.Loop() {
		if !strings.HasSuffix(s.Shortest(), "}") {
			b.Fatal("not the end")
		}
	}
}

func BenchmarkFromSchema(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		schema(b, benchSchema)
	}
}

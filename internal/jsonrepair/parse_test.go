package jsonrepair

import (
	"strings"
	"testing"

	"github.com/whetgo/whet/signature"
)

func TestRepaired(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ repaired, ok bool }{
		`{"a": 1}`:         {false, true},
		` [1, 2.0] `:       {false, true},
		`""`:               {false, true},
		`null`:             {false, true},
		`{"a": 1, "a": 2}`: {true, true},
		`{"a": NaN}`:       {true, true},
		`{"a": 1,}`:        {true, true},
		`{"a": 1} yes`:     {true, true},
		``:                 {true, true},
		`Paris`:            {true, false},
		` `:                {true, false},
	} {
		v, repaired, ok := Repaired(text)
		if repaired != want.repaired || ok != want.ok {
			t.Errorf("%q: %v, repaired %v, ok %v", text, v, repaired, ok)
		}
		if w, wok := Parse(text); !signature.EqualValues(w, v) || wok != ok {
			t.Errorf("%q: Parse gives %v, %v and Repaired %v, %v", text, w, wok, v, ok)
		}
	}
}

// TestDifferences holds what differs from json_repair on purpose.
func TestDifferences(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[NaN, -Infinity, Infinity]`:                       `["NaN", "-Infinity", "Infinity"]`,
		`[1e999, -1e999]`:                                  `["1e999", "-1e999"]`,
		`[1e999,]`:                                         `["1e999"]`,
		`{"a": 123456789012345678901234567890,}`:           `{"a": 1.2345678901234568e+29}`,
		`{"a": "\ud83d\ude00",}`:                           `{"a": "😀"}`,
		`{"a": "\ud83dx"}`:                                 "{\"a\": \"\uFFFDx\"}",
		`{"a": "\ud83dx",}`:                                "{\"a\": \"\uFFFDx\"}",
		"{\"a\": \"\xff\",}":                               "{\"a\": \"\uFFFD\"}",
		"{\"b\": \"x\", \"```json\n[1]\n```\": 2}":         `{"b": "x"}`,
		`([a)], 2) is it: [1]`:                             `[["a)"], [1]]`,
		strings.Repeat("# a\nb / c\n", 2000) + `{"a": 1,}`: `{"a": 1}`,
	} {
		got, ok := Parse(text)
		if s := shown(t, got); s != want || !ok {
			t.Errorf("%.60q: got %s, %v; want %s", text, s, ok, want)
		}
	}
	digits := strings.Repeat("9", 400)
	for _, tail := range []string{"]", ",]"} {
		if got, _ := Parse("[" + digits + tail); !signature.EqualValues(got, []signature.Value{digits}) {
			t.Errorf("an integer of 400 digits before %s: %v", tail, got)
		}
	}
}

// TestDepth: what signature can read is read, and beyond that nothing is, well
// formed or not.
func TestDepth(t *testing.T) {
	t.Parallel()
	for _, sides := range [][2]string{{"[", "]"}, {`{"a":`, "}"}, {"(", ")"}, {`[{"a":(`, ")}]"}} {
		for _, inner := range []string{"1", "1,", "1 x"} {
			nest := func(n int) string {
				return strings.Repeat(sides[0], n) + inner + strings.Repeat(sides[1], n)
			}
			if _, ok := Parse(nest(60)); !ok {
				t.Errorf("60 times %s%s is no value", sides[0], inner)
			}
			if _, ok := Parse(nest(210)); ok {
				t.Errorf("210 times %s%s is a value", sides[0], inner)
			}
			if v, ok := Parse(nest(5_000)); ok || v != "" {
				t.Errorf("5000 times %s%s is a value", sides[0], inner)
			}
		}
	}
	edge := strings.Repeat("[", maxDepth) + "1" + strings.Repeat("]", maxDepth)
	if v, err := signature.ParseValue([]byte(edge)); err != nil {
		t.Error(err)
	} else if got, ok := Parse(edge); !ok || !signature.EqualValues(got, v) {
		t.Errorf("what signature reads at the limit is not read here")
	}
	if _, ok := Parse("[" + edge + "]"); ok {
		t.Errorf("what signature does not read beyond the limit is read here")
	}
}

// TestOrder: fields come in the order in which they first appear.
func TestOrder(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"z": 1, "a": 2, "m": 3, "z": 4}`, `{z: 1, a: 2, m: 3, z: 4`} {
		got, _ := Parse(text)
		if s := shown(t, got); s != `{"z": 4, "a": 2, "m": 3}` {
			t.Errorf("%s: %s", text, s)
		}
	}
}

// TestUnescapeQuotes: the tables hold for what follows a stretch that was changed.
func TestUnescapeQuotes(t *testing.T) {
	t.Parallel()
	s := newSource([]rune(`[\"a\\"  , \'] "b" ]`))
	s.skipSpace(0)
	s.skipSlashes(0)
	s.evenBeforeBracket(0, '"')
	s.find(0, ',')
	from := s.unescapeQuotes(1, 13)
	if got, want := string(s.text[from:]), `"a\"  , '] "b" ]`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	fresh := newSource(s.text[from:])
	for i := range fresh.text {
		for _, c := range []struct {
			what      string
			got, want int
		}{
			{"quote", s.find(from+i, '"') - from, fresh.find(i, '"')},
			{"comma", s.find(from+i, ',') - from, fresh.find(i, ',')},
			{"space", s.skipSpace(from+i) - from, fresh.skipSpace(i)},
			{"slash", s.skipSlashes(from+i) - from, fresh.skipSlashes(i)},
		} {
			if c.got != c.want {
				t.Errorf("%s from %d: %d, want %d", c.what, i, c.got, c.want)
			}
		}
		if got, want := s.evenBeforeBracket(from+i, '"'), fresh.evenBeforeBracket(i, '"'); got != want {
			t.Errorf("quotes from %d even: %v, want %v", i, got, want)
		}
	}
}

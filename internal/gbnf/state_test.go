package gbnf

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func pattern(t testing.TB, p string) *Grammar {
	t.Helper()
	g, err := FromPattern(p)
	require.NoError(t, err)
	return g
}

func schema(t testing.TB, s string, options ...Option) *Grammar {
	t.Helper()
	g, err := FromSchema([]byte(s), options...)
	require.NoError(t, err)
	return g
}

func TestState(t *testing.T) {
	t.Parallel()
	record := schema(t, `{"type": "object", "properties": {"name": {"type": "string"}, "mood": {"enum": ["good", "bad"]}, "sure": {"type": "boolean"}},
		"required": ["name", "mood", "sure"]}`)
	answer := Sequence(Literal("Ans"), Choice(Literal("wer: "), Literal("wers: ")), Int(), Literal("\n"))
	for _, tt := range []struct {
		name            string
		g               *Grammar
		read            string
		complete, final bool
		forced          string
		shortest        string
	}{
		{"beginning", record, "", false, false, `{"name": "`, `{"name": "", "mood": "good", "sure": false}`},
		{"in a text", record, `{"name": "na`, false, false, "", `", "mood": "good", "sure": false}`},
		{"in an escape", record, `{"name": "\u00`, false, false, "", `00", "mood": "good", "sure": false}`},
		{"in a character", record, "{\"name\": \"\xe2\x82", false, false, "", "\x80" + `", "mood": "good", "sure": false}`},
		{"in an enum", record, `{"name": "", "mood": "b`, false, false, `ad", "sure": `, `ad", "sure": false}`},
		{"in true", record, `{"name": "", "mood": "bad", "sure": t`, false, false, "rue}", "rue}"},
		{"end", record, `{"name": "", "mood": "bad", "sure": true}`, true, true, "", ""},
		{"sequence", answer, "", false, false, "Answer", "Answer: 0\n"},
		{"number goes on", answer, "Answer: 1", false, false, "", "\n"},
		{"number is full", answer, "Answer: 0", false, false, "\n", "\n"},
		{"int", Int(), "-", false, false, "", "1"},
		{"int goes on", Int(), "12", true, false, "", ""},
		{"int is full", Int(), strings.Repeat("9", 18), true, true, "", ""},
		{"float", Float(), "3.", false, false, "", "0"},
		{"float goes on", Float(), "3.5", true, false, "", ""},
		{"nothing", Choice(), "", false, false, "", ""},
		{"empty", Sequence(), "", true, true, "", ""},
		{"character's middle", Literal("aé"), "a\xc3", false, false, "", "\xa9"},
		{"optional tail", pattern(t, "ab(cd)?"), "", false, false, "ab", "ab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := mustAdvance(t, tt.g.Start(), tt.read)
			assert.Equal(t, tt.complete, s.Complete())
			assert.Equal(t, tt.final, s.Final())
			assert.Equal(t, tt.forced, s.Forced(100))
			assert.Equal(t, tt.shortest, s.Shortest())
		})
	}
}

func TestStateRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		g     *Grammar
		texts []string
	}{
		{Int(), []string{"-0", "01", "+1", "1.0", "1e3", " 1", strings.Repeat("9", 19)}},
		{Float(), []string{"1.", ".5", "01.5", "1e3", "1,5", "+1", "NaN", "1." + strings.Repeat("0", 18)}},
		{Literal("a"), []string{"", "b", "aa", "A"}},
		{schema(t, `{"type": "array", "items": {"type": "integer"}}`), []string{"[1,2]", "[1, 2,]", "[ ]", "[1,  2]", "[1, 2", "[1] "}},
		{schema(t, `{"type": "string"}`), []string{"\"\n\"", "\"\x00\"", `"\x"`, `"\ud800"`, `"\uDFFF"`, "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", `"a`, `'a'`}},
		{pattern(t, "[à-ü]+"), []string{"a", "\xc3", "\xc3\xbf\xc3", "ÿ"}},
	} {
		for _, text := range tt.texts {
			assert.False(t, tt.g.accepts(t, text), "%q", text)
		}
	}
}

func TestZeroState(t *testing.T) {
	t.Parallel()
	var s State
	_, ok := s.Advance("a")
	assert.False(t, ok)
	same, ok := s.Advance("")
	assert.True(t, ok)
	assert.False(t, same.Complete() || same.Final())
	assert.Empty(t, s.Forced(5)+s.Shortest())
}

func TestForcedHasALimit(t *testing.T) {
	t.Parallel()
	s := Literal("añb").Start()
	for limit, want := range []string{"", "a", "a", "añ", "añb", "añb"} {
		assert.Equal(t, want, s.Forced(limit), limit)
	}
}

// TestManyStates checks that ambiguity and long repetitions cost little: every state of
// them is one of few places.
func TestManyStates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		p, text string
		places  int
	}{
		{"(a|a)*b", strings.Repeat("a", 3000), 1},
		{"((a*)*)*b", strings.Repeat("a", 3000), 1},
		{"(a|aa)*b", strings.Repeat("a", 3000), 2},
		{"(a?){500}b", strings.Repeat("a", 400), 600},
		{".{1000}b", strings.Repeat("é", 1000), 1},
		{"(ab|cd){3,900}", strings.Repeat("abcd", 400), 2},
	} {
		s := mustAdvance(t, pattern(t, tt.p).Start(), tt.text)
		assert.LessOrEqual(t, len(s.n.kernel), tt.places, tt.p)
	}
	list := schema(t, `{"type": "array", "items": {"type": "integer"}, "maxItems": 5000}`)
	assert.True(t, list.accepts(t, "["+strings.Repeat("1, ", 4999)+"1]"))
	assert.False(t, list.accepts(t, "["+strings.Repeat("1, ", 5000)+"1]"))
	nested := schema(t, `{}`)
	assert.True(t, nested.accepts(t, strings.Repeat("[", 5000)+strings.Repeat("]", 5000)))
}

// TestOverlappingRecursion has a schema whose every level can be read in two ways.
func TestOverlappingRecursion(t *testing.T) {
	t.Parallel()
	text := `{"$defs": {"t": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/t"}}, {"type": "array", "items": {"$ref": "#/$defs/t"}, "minItems": 1}]}}, "$ref": "#/$defs/t"}`
	g, valid := schema(t, text), validator(t, []byte(text))
	s := mustAdvance(t, g.Start(), strings.Repeat("[", 40))
	assert.LessOrEqual(t, len(s.n.kernel), maxPlaces)
	whole := strings.Repeat("[", 40) + s.Shortest()
	assert.True(t, g.accepts(t, whole))
	assert.NoError(t, valid(whole))
}

// TestSmallCache matches with a cache that is full all the time, from states of caches
// that were given up.
func TestSmallCache(t *testing.T) {
	t.Parallel()
	g := schema(t, `{"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 30}, "b": {}}}}`)
	small := grammar(g.root)
	small.once.Do(func() { small.current.Store(newCache(compile(small.root), &small.mu, &small.current, 20000)) })
	r := rand.New(rand.NewPCG(5, 5))
	first := small.current.Load()
	for range 100 {
		text := walk(t, g, r, 300)
		s, u := small.Start(), g.Start()
		for i := range len(text) {
			assert.Equal(t, u.Shortest(), s.Shortest())
			s, u = mustAdvance(t, s, text[i:i+1]), mustAdvance(t, u, text[i:i+1])
			assert.Equal(t, u.Complete(), s.Complete())
		}
		_, bad := s.Advance("]")
		assert.False(t, bad)
	}
	assert.NotSame(t, first, small.current.Load())
	assert.Less(t, len(small.current.Load().nodes), 100)
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	g := schema(t, `{"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}}}`)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 30 {
				text := walk(t, g, r, 80)
				if !g.accepts(t, text) {
					t.Errorf("%q is refused", text)
				}
			}
		})
	}
	wg.Wait()
}

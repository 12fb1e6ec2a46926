package gbnf

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// suiteGroup is a schema of the JSON Schema Test Suite with its instances.
type suiteGroup struct {
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`
	Tests       []struct {
		Description string          `json:"description"`
		Data        json.RawMessage `json:"data"`
		Valid       bool            `json:"valid"`
	} `json:"tests"`
}

func readGroups(t *testing.T, pattern string) map[string][]suiteGroup {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]suiteGroup{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var groups []suiteGroup
		if err := json.Unmarshal(data, &groups); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".json")] = groups
	}
	return out
}

// tally is what became of the pairs of schema and instance.
type tally struct {
	schemas, unsupported, valid, invalid, extra, compared int
	keywords                                              map[string]int
}

func (n *tally) String() string {
	var why []string
	for _, k := range slices.Sorted(maps.Keys(n.keywords)) {
		why = append(why, fmt.Sprintf("%s %d", k, n.keywords[k]))
	}
	return fmt.Sprintf("%d schemas, %d of them unsupported (%s); %d valid and %d invalid instances as they should be, %d valid ones have other keys or too many digits; %d pairs agree with llama.cpp",
		n.schemas, n.unsupported, strings.Join(why, ", "), n.valid, n.invalid, n.extra, n.compared)
}

// checkGroup checks that a grammar accepts the valid instances of a schema, refuses the
// others, and agrees with llama.cpp on all.
func (n *tally) checkGroup(t *testing.T, name string, g suiteGroup, peer func(*testing.T, string) peerFunc) {
	t.Helper()
	n.schemas++
	grammar, err := FromSchema(g.Schema)
	var not *UnsupportedError
	if errors.As(err, &not) {
		n.unsupported++
		n.keywords[not.Keyword]++
		n.noneValid(t, name, g, not)
		return
	}
	if err != nil {
		t.Errorf("%s: %s: %v", name, g.Description, err)
		return
	}
	var llama peerFunc
	if peer != nil {
		llama = peer(t, grammar.String())
	}
	for _, test := range g.Tests {
		value, err := parseJSON(test.Data)
		if err != nil {
			t.Fatal(err)
		}
		text := written(value)
		if test.Valid {
			canon, ok := canonical(t, g.Schema, value)
			if !ok {
				n.extra++
				continue
			}
			text = canon
			n.valid++
		} else {
			n.invalid++
		}
		if got := grammar.accepts(t, text); got != test.Valid {
			t.Errorf("%s: %s: %s: accepted %s = %v, want %v; the schema is %s and the grammar\n%.3000s", name, g.Description, test.Description, text, got, test.Valid, g.Schema, grammar)
		}
		if llama == nil {
			continue
		}
		if got, can := llama(text); can {
			n.compared++
			if got != test.Valid {
				t.Errorf("%s: %s: %s: llama.cpp accepts %s: %v, want %v; the grammar is\n%.3000s", name, g.Description, test.Description, text, got, test.Valid, grammar)
			}
		}
	}
}

// noneValid checks that a schema which is refused because nothing fulfils it has no
// valid instance.
func (n *tally) noneValid(t *testing.T, name string, g suiteGroup, not *UnsupportedError) {
	t.Helper()
	if not.Keyword != "" {
		return
	}
	for _, test := range g.Tests {
		if test.Valid {
			t.Errorf("%s: %s: %v, but %s is valid", name, g.Description, not, test.Data)
		}
	}
}

// TestSuite runs the JSON Schema Test Suite, which scripts/setup schemas fetches.
func TestSuite(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("WHET_JSON_SCHEMA_SUITE")
	if dir == "" {
		t.Skip("WHET_JSON_SCHEMA_SUITE is not set; run scripts/setup schemas, then eval \"$(scripts/setup env)\"")
	}
	peer := openPeer(t)
	n := &tally{keywords: map[string]int{}}
	files := readGroups(t, filepath.Join(dir, "*.json"))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, g := range files[name] {
			n.checkGroup(t, name, g, peer)
		}
	}
	t.Log(n)
	if n.schemas < 300 || n.valid < 150 || n.invalid < 150 {
		t.Errorf("the suite is not whole: %v", n)
	}
}

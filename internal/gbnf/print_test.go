package gbnf

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden shows what the grammars of the schemas for generating look like.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"const-tags", "linked-list", "order", "optional-keys", "quotes", "text-bounds", "tuple"} {
		data, err := os.ReadFile(filepath.Join("testdata", "generate", name+".json"))
		require.NoError(t, err)
		got := schema(t, string(data)).String()
		file := filepath.Join("testdata", "golden", name+".gbnf")
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	digit := `[0-9]`
	for _, tt := range []struct {
		g    *Grammar
		want string
	}{
		{Literal("a\"\\\n\r\t\x01é\u200b"), `root ::= "a\"\\\n\r\t\u0001é\u200B"`},
		{Sequence(), `root ::= ""`},
		{Choice(), `root ::= [^\u0000-\U0010FFFF]`},
		{Sequence(Literal("a"), Choice(Literal("b"), Literal("c d")), Literal("e")), `root ::= "a" ("b" | "c d") "e"`},
		{Int(), `root ::= "0" | "-"? [1-9] [0-9]{0,17}`},
		{Float(), `root ::= "-"? ("0" | [1-9] [0-9]{0,17}) ("." [0-9]{1,17})?`},
		{pattern(t, `[\]\^\-\\\[a-z]`), `root ::= [\u002D\u005B-\u005Ea-z]`},
		{pattern(t, `(ab|c)+`), `root ::= ("ab" | "c")+`},
		{pattern(t, `(ab|c){3}`), "root ::= root-2{3}\nroot-2 ::= \"ab\" | \"c\""},
		{pattern(t, `(a{2})*`), `root ::= ("a"{2})*`},
		{pattern(t, `a?`), `root ::= "a"?`},
		{grammar(repeat(digitSet(0, 9), 5000, 5000)), "root ::= " + digit + "{2000} " + digit + "{2000} " + digit + "{1000}"},
		{grammar(repeat(digitSet(0, 9), 4001, unlimited)), "root ::= " + digit + "{2000} " + digit + "{2000} " + digit + "{1,}"},
		{grammar(repeat(digitSet(0, 9), 2000, 2001)), "root ::= " + digit + "{2000} " + digit + "{0,1}"},
		{grammar(repeat(digitSet(0, 9), 1, 4500)), "root ::= root-3\nroot-2 ::= [0-9]{0,1999} | [0-9]{2000} [0-9]{0,500}\nroot-3 ::= [0-9]{1,1999} | [0-9]{2000} root-2"},
	} {
		assert.Equal(t, tt.want, strings.TrimSuffix(tt.g.String(), "\n"))
	}
}

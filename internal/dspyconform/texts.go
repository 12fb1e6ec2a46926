package main

import (
	"math/rand/v2"
	"strings"
)

// hostile are texts on which writers and readers of prompts fall out.
var hostile = []string{
	"[[ ## answer ## ]]", "[[ ## completed ## ]]", "[[ ##", "## ]]", "x [[ ## label ## ]] y", "[[ ## a ## ]]\nfoo",
	"'", `"`, `'"'`, `""`, "it's", `say "hi"`, "`code`", "```json\n{}\n```", "\\", `\n`, `\u0041`, `C:\dir\new`,
	"\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\b", "\x01", "\x7f", "\r\n", "\r", "\n", "\n\n", "\t",
	"😀", "👩‍👩‍👧", "🇵🇱", "é", "é", "ß", "İ", "żółć", "中文", "עברית", "\u200b", "\u200d", "\ufeff", "\u00a0", "\u3000", "𝔘", "\U0010ffff",
	"«x»", "«««", "»»»", "«", "[1] «a»", "N/A",
	`{"a": 1}`, `{"answer": "x"}`, "{", "}", "]", "[1, 2", "{'a': [1, None, True]}", "['x', \"y\"]", "None", "null", "True", "false", "nan",
	"1,234", "95%", "3.14", "-0", "1e5", "07", "0x1F", "1_000", "# comment", "// no", "/* c */", "a: b", "a,b", "- item", "1. item",
	"<b>&amp;</b>", "<|im_start|>", "<|endoftext|>", "</s>", "[INST]", "{field}", "${field}", "%s %d", "{{x}}",
	"answer:", "**bold**", "Literal[a]", "Not supplied for this particular example. ",
}

var plain = []string{
	"", "a", "ham", "Lunch at noon?", "You won a prize, call now", "Why is the sky blue?", "two words", "The quick brown fox.",
	"first line\nsecond line", "para one\n\npara two", "x = 1; y = 2",
}

// text returns a text, hostile more often than not.
func text(r *rand.Rand) string {
	switch r.IntN(12) {
	case 0, 1, 2, 3:
		return pick(r, plain)
	case 4:
		return strings.Repeat(pick(r, hostile)+" ", 1+r.IntN(4))
	case 5:
		return strings.Repeat(" ", r.IntN(3)) + pick(r, plain) + strings.Repeat(" ", r.IntN(3))
	case 6:
		return strings.Repeat(pick(r, hostile), 20+r.IntN(60)) // long
	default:
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString(pick(r, hostile))
			b.WriteString(pick(r, []string{"", " ", "\n", pick(r, plain)}))
		}
		return b.String()
	}
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// chance is true once in n times.
func chance(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

package module

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/whetgo/whet/trace"
)

// CodeRun is one piece of code that a [ProgramOfThought] ran, or could not run. The
// trace has it as the Note of a step, after the call that wrote the code.
type CodeRun struct {
	// N is the number of the attempt, from 0.
	N int
	// Language is the name of the code's language.
	Language string
	// Code is what was run, without the fence around it.
	Code string
	// Result is what it computed; nil where Err is not.
	Result *CodeResult
	// Err is why it came to nothing: mostly an *[InterpreterError].
	Err error
	// Start and Duration say when it ran and for how long.
	Start    time.Time
	Duration time.Duration
	// Dropped says that the program's answer does not rest on it: see trace.Step.
	// [CodeRuns] fills it in.
	Dropped bool
}

// CodeRuns returns the code that was run in a trace, in order. The answer rests on what is
// not Dropped.
func CodeRuns(t *trace.Trace) []CodeRun {
	return notesOf(t, func(n *CodeRun, dropped bool) { n.Dropped = dropped })
}

// newlines makes one kind of line end of all; it is not changed.
var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// fence begins and ends a block of code in a reply.
const fence = "```"

// codeOf returns the code in a reply: the first fenced block of one of the names, else
// the first fenced block, else the whole text. A block that is not closed goes to the
// end, and common indentation is removed.
func codeOf(text string, names []string) string {
	lines := strings.Split(newlines.Replace(text), "\n")
	var first []string
	found := false
	for i := 0; i < len(lines); i++ {
		info, ok := strings.CutPrefix(strings.TrimSpace(lines[i]), fence)
		if !ok {
			continue
		}
		info = strings.TrimLeft(info, "`")
		if code, ok := strings.CutSuffix(info, fence); ok { // a block in one line
			name, rest, _ := strings.Cut(code, " ")
			if !isFence(name, names) {
				name, rest = "", code
			}
			if name != "" {
				return strings.TrimSpace(rest)
			}
			if !found {
				first, found = []string{rest}, true
			}
			continue
		}
		end := i + 1
		for end < len(lines) && strings.TrimSpace(lines[end]) != fence {
			end++
		}
		name, _, _ := strings.Cut(strings.TrimSpace(info), " ")
		if isFence(name, names) {
			return dedent(lines[i+1 : min(end, len(lines))])
		}
		if !found {
			first, found = lines[i+1:min(end, len(lines))], true
		}
		i = end
	}
	if found {
		return dedent(first)
	}
	return dedent(lines)
}

func isFence(name string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// dedent joins lines without the indentation that all of them have, and without empty
// lines before and after.
func dedent(lines []string) string {
	blank := func(s string) bool { return strings.TrimSpace(s) == "" }
	for len(lines) > 0 && blank(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && blank(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return ""
	}
	indent := lines[0][:len(lines[0])-len(strings.TrimLeft(lines[0], " \t"))]
	for _, l := range lines {
		for !blank(l) && !strings.HasPrefix(l, indent) {
			indent = indent[:len(indent)-1]
		}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		if !blank(l) {
			out[i] = l[len(indent):]
		}
	}
	return strings.Join(out, "\n")
}

// valid drops what a cut left of a character.
func valid(s string) string {
	for i := 0; i < utf8.UTFMax && s != "" && !utf8.RuneStart(s[0]); i++ {
		s = s[1:]
	}
	return s
}

package lmtest

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

// ReadSynth reads a request as [SynthLM] does: its prompt, and the item that it asks for,
// which is -1 where it asks for none. The instruction is in the system messages. A user
// message with an item and the assistant's answer to it are a demo; the item of the last
// user message without an answer is the question.
func ReadSynth(messages []lm.Message) (SynthPrompt, int) {
	t := readSynthTask(messages)
	return t.prompt, t.item
}

// SynthInstruction reads the strategy and the rules of an instruction, such as "Use
// strategy-07. Follow rule-2.". The last strategy counts, and without one it is 0.
func SynthInstruction(instruction string) SynthPrompt {
	p := SynthPrompt{Rules: synthRules(instruction)}
	if s, _ := lastStrategy(instruction); s >= 0 {
		p.Strategy = s
	}
	return p
}

// NewSynthDemo reads a demo from the texts of its fields; ok is false where the question
// names no item or the answer has no label.
func NewSynthDemo(question, answer string) (d SynthDemo, ok bool) {
	d = SynthDemo{firstItem(question), firstLabel(answer)}
	return d, d.Item >= 0 && d.Label != ""
}

func readSynthTask(messages []lm.Message) synthTask {
	var system []string
	t := synthTask{item: -1}
	var demos []SynthDemo
	for _, msg := range messages {
		text := msg.Text()
		switch msg.Role {
		case lm.RoleSystem:
			system = append(system, text)
		case lm.RoleUser:
			t.item, t.hint = firstItem(text), synthHint(text)
		case lm.RoleAssistant:
			if label := firstLabel(text); t.item >= 0 && label != "" {
				demos = append(demos, SynthDemo{t.item, label})
			}
			t.item, t.hint = -1, ""
		}
	}
	t.prompt = SynthInstruction(strings.Join(system, "\n"))
	t.prompt.Demos = demos
	return t
}

// digitsAfter returns the number of n digits that stands at the beginning of s, or -1.
func digitsAfter(s string, n int) int {
	if len(s) < n {
		return -1
	}
	v := 0
	for _, c := range []byte(s[:n]) {
		if c < '0' || c > '9' {
			return -1
		}
		v = 10*v + int(c-'0')
	}
	return v
}

// firstItem returns the first item that a text names, or -1.
func firstItem(s string) int {
	for {
		_, rest, ok := strings.Cut(s, "item-")
		if !ok {
			return -1
		}
		if v := digitsAfter(rest, 4); v >= 0 {
			return v
		}
		s = rest
	}
}

// lastStrategy returns the last strategy that a text names, modulo their number, and what
// stands behind it; or -1.
func lastStrategy(s string) (strategy int, rest string) {
	const mark = "strategy-"
	for end := len(s); ; {
		i := strings.LastIndex(s[:end], mark)
		if i < 0 {
			return -1, ""
		}
		if v := digitsAfter(s[i+len(mark):], 2); v >= 0 {
			return v % SynthStrategies, s[i+len(mark)+2:]
		}
		end = i
	}
}

// synthRules returns the rules that a text names, ascending.
func synthRules(s string) []int {
	var rules []int
	for rule := range ruleMarks(s) {
		if !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	slices.Sort(rules)
	return rules
}

// ruleMarks yields each rule-T of a text that is a word of its own, and the text before it.
func ruleMarks(s string) func(yield func(rule int, before string) bool) {
	const mark = "rule-"
	return func(yield func(int, string) bool) {
		for at := 0; ; {
			i := strings.Index(s[at:], mark)
			if i < 0 {
				return
			}
			before, rest := s[:at+i], s[at+i+len(mark):]
			at += i + len(mark)
			rule := digitsAfter(rest, 1)
			last, _ := utf8.DecodeLastRuneInString(before)
			if rule < 0 || rule >= SynthTypes || before != "" && isWord(last) || startsWord(rest[1:]) {
				continue
			}
			if !yield(rule, before) {
				return
			}
		}
	}
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }

func startsWord(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && isWord(r)
}

// firstLabel returns the first word of a text that is a label, or "".
func firstLabel(s string) string {
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return !isWord(r) }) {
		if synthLabel(word) >= 0 {
			return word
		}
	}
	return ""
}

// synthLabel returns a label's index, or -1.
func synthLabel(word string) int { return slices.Index(synthLabels[:], word) }

// synthHint returns the label in the field hint of a user message, or "".
func synthHint(s string) string {
	_, rest, ok := strings.Cut(s, fieldMark("hint"))
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "[[ ## ")
	return firstLabel(rest)
}

func fieldMark(name string) string { return "[[ ## " + name + " ## ]]" }

// synthFields returns the output fields that the first message lists, as adapter.Chat
// does.
func synthFields(messages []lm.Message) []string {
	const begin, end = "Your output fields are:", "All interactions"
	text := messages[0].Text()
	i := strings.LastIndex(text, begin)
	if i < 0 {
		return nil
	}
	text, _, _ = strings.Cut(text[i+len(begin):], end)
	var fields []string
	for line := range strings.SplitSeq(text, "\n") {
		rest := strings.TrimLeft(line, "0123456789")
		name, ok := strings.CutPrefix(rest, ". `")
		if !ok || rest == line {
			continue
		}
		if name, _, ok = strings.Cut(name, "`"); ok && name != "" {
			fields = append(fields, name)
		}
	}
	return fields
}

func hasField(fields []string, name string) bool { return slices.Contains(fields, name) }

// synthField is an output field with its text.
type synthField struct{ name, text string }

// synthReply writes a reply in the form of adapter.Chat. All fields but the given one hold
// what says nothing.
func synthReply(fields []string, value synthField) string {
	var b strings.Builder
	for _, f := range fields {
		text := "n/a"
		switch f {
		case value.name:
			text = value.text
		case "observations":
			text = "COMPLETE"
		}
		b.WriteString(fieldMark(f) + "\n" + text + "\n\n")
	}
	b.WriteString(fieldMark("completed"))
	return b.String()
}

func synthItem(i int) int { return (i%SynthItems + SynthItems) % SynthItems }

func twoDigits(n int) string { return string([]byte{'0' + byte(n/10), '0' + byte(n%10)}) }

func fourDigits(n int) string {
	n = synthItem(n)
	return twoDigits(n/100) + twoDigits(n%100)
}

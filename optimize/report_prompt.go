package optimize

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

const (
	longestValue = 600 // characters of a demo's field
	mostDemos    = 50  // of those that are shown of one predictor
)

// The kinds of what differs.
const (
	addedKind   = "added"
	removedKind = "removed"
)

// promptView is what has changed in the prompt of one predictor.
type promptView struct {
	Name         string
	Changed      bool
	Instructions []diffPart
	Fields       []fieldDiff
	DemoCount    string
	Demos        []demoView
	More         string
	Biases       []nameValue
}

type fieldDiff struct {
	Name string
	Diff []diffPart
}

type demoView struct {
	Kind, Title string
	Fields      []nameValue
}

// promptViews compares the program as it was with the winner.
func (r *Result) promptViews() []promptView {
	views := make([]promptView, 0, len(r.States))
	signatures := make([]*signature.Signature, len(r.States))
	for p, i := range r.byPtr {
		if i < len(signatures) {
			signatures[i] = p.Signature()
		}
	}
	for i, after := range r.States {
		var before module.State
		if i < len(r.Base) {
			before = r.Base[i].State
		}
		views = append(views, promptViewOf(after.Name, signatures[i], before, after.State))
	}
	return views
}

// promptViewOf compares two states; without a signature instructions that a state does not
// name are empty.
func promptViewOf(name string, sig *signature.Signature, before, after module.State) promptView {
	own, descriptions := "", map[string]string{}
	if sig != nil {
		own = sig.Instructions()
		for _, f := range sig.Fields() {
			descriptions[f.Name] = f.Desc
		}
	}
	v := promptView{Name: name, Instructions: diffWords(instructionsOr(before, own), instructionsOr(after, own))}
	v.Changed = differs(v.Instructions)
	changed := map[string]bool{}
	for _, m := range []map[string]string{before.Descriptions, after.Descriptions} {
		for field := range m {
			changed[field] = true
		}
	}
	for _, field := range slices.Sorted(maps.Keys(changed)) {
		diff := diffWords(descriptionOr(before, field, descriptions[field]), descriptionOr(after, field, descriptions[field]))
		if differs(diff) {
			v.Changed = true
			v.Fields = append(v.Fields, fieldDiff{field, diff})
		}
	}
	removed, added, kept := diffDemos(before.Demos, after.Demos)
	v.Changed = v.Changed || len(removed)+len(added) > 0
	v.DemoCount = fmt.Sprintf("%d demos before, %d after (kept %d, new %d, gone %d).", len(before.Demos), len(after.Demos), kept, len(added), len(removed))
	if len(before.Demos)+len(after.Demos) == 0 {
		v.DemoCount = "No demos, before and after."
	}
	for _, d := range added {
		v.Demos = append(v.Demos, demoViewOf(addedKind, d))
	}
	for _, d := range removed {
		v.Demos = append(v.Demos, demoViewOf(removedKind, d))
	}
	if n := len(v.Demos) - mostDemos; n > 0 {
		v.Demos, v.More = v.Demos[:mostDemos], fmt.Sprintf("%d more demos are not shown.", n)
	}
	v.Biases = biasLines(after)
	v.Changed = v.Changed || !slices.Equal(v.Biases, biasLines(before))
	return v
}

func instructionsOr(st module.State, own string) string {
	if st.Instructions != "" {
		return st.Instructions
	}
	return own
}

func descriptionOr(st module.State, field, own string) string {
	if text, ok := st.Descriptions[field]; ok {
		return text
	}
	return own
}

// diffDemos returns the demos that only one of two lists has, and how many both have.
func diffDemos(before, after []module.Demo) (removed, added []module.Demo, kept int) {
	rest := slices.Clone(before)
	for _, d := range after {
		same := func(o module.Demo) bool { return o.Augmented == d.Augmented && o.Fields.Equal(d.Fields) }
		if i := slices.IndexFunc(rest, same); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
			kept++
			continue
		}
		added = append(added, d)
	}
	return rest, added, kept
}

func demoViewOf(kind string, d module.Demo) demoView {
	v := demoView{Kind: kind, Title: "new, of the data"}
	switch {
	case kind == removedKind:
		v.Title = "gone"
	case d.Augmented:
		v.Title = "new, made by a model"
	}
	for name, value := range d.Fields.All() {
		v.Fields = append(v.Fields, nameValue{name, cutText(valueText(value), longestValue)})
	}
	return v
}

// valueText writes a field's value, texts as they are and others as JSON.
func valueText(v signature.Value) string {
	if text, ok := v.(string); ok {
		return text
	}
	data, err := signature.MarshalValue(v)
	if err != nil { // a number that JSON does not have
		return fmt.Sprint(v)
	}
	return string(data)
}

func biasLines(st module.State) []nameValue {
	var lines []nameValue
	for _, field := range slices.Sorted(maps.Keys(st.Biases)) {
		var parts []string
		for _, choice := range slices.Sorted(maps.Keys(st.Biases[field])) {
			parts = append(parts, fmt.Sprintf("%s %+.3f", choice, st.Biases[field][choice]))
		}
		lines = append(lines, nameValue{field, strings.Join(parts, ", ")})
	}
	return lines
}

const (
	mostWords     = 2000 // of a text that is compared word by word
	longestSame   = 600  // characters of what is the same, before its middle is cut
	longestChange = 4000
)

// diffPart is a part of two texts that are compared.
type diffPart struct {
	Kind string // "", "added" or "removed"
	Text string
}

// differs reports whether there is anything but what both texts have.
func differs(parts []diffPart) bool {
	return slices.ContainsFunc(parts, func(p diffPart) bool { return p.Kind != "" })
}

// diffWords compares two texts word by word, by a longest common subsequence of words: a
// word counts with the white space behind it. Of texts with very many words all is removed
// and added. Long parts are cut.
func diffWords(before, after string) []diffPart {
	a, b := splitWords(before), splitWords(after)
	var parts []diffPart
	add := func(kind string, words ...string) {
		text := strings.Join(words, "")
		if n := len(parts); n > 0 && parts[n-1].Kind == kind {
			parts[n-1].Text += text
		} else if text != "" {
			parts = append(parts, diffPart{kind, text})
		}
	}
	head := 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	add("", a[:head]...)
	x, y := a[head:len(a)-tail], b[head:len(b)-tail]
	if max(len(x), len(y)) > mostWords {
		add(removedKind, x...)
		add(addedKind, y...)
	} else {
		// common[i][j] is the length of what x[i:] and y[j:] have in common.
		common := make([][]int16, len(x)+1)
		for i := range common {
			common[i] = make([]int16, len(y)+1)
		}
		for i := len(x) - 1; i >= 0; i-- {
			for j := len(y) - 1; j >= 0; j-- {
				if x[i] == y[j] {
					common[i][j] = common[i+1][j+1] + 1
				} else {
					common[i][j] = max(common[i+1][j], common[i][j+1])
				}
			}
		}
		i, j := 0, 0
		for i < len(x) || j < len(y) {
			switch {
			case i < len(x) && j < len(y) && x[i] == y[j]:
				add("", x[i])
				i, j = i+1, j+1
			case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
				add(removedKind, x[i])
				i++
			default:
				add(addedKind, y[j])
				j++
			}
		}
	}
	add("", a[len(a)-tail:]...)
	for i, p := range parts {
		parts[i].Text = cutPart(p)
	}
	return parts
}

// splitWords parts a text behind the white space after each word; joined, the parts are the text.
func splitWords(text string) []string {
	var words []string
	start, space := 0, false
	for i, r := range text {
		isSpace := r == ' ' || r == '\n' || r == '\t' || r == '\r'
		if space && !isSpace {
			words = append(words, text[start:i])
			start = i
		}
		space = isSpace
	}
	if start < len(text) {
		words = append(words, text[start:])
	}
	return words
}

// cutPart cuts a long part: the middle of what is the same, the end of what is not.
func cutPart(p diffPart) string {
	if p.Kind != "" {
		return cutText(p.Text, longestChange)
	}
	n := utf8.RuneCountInString(p.Text)
	if n <= longestSame {
		return p.Text
	}
	runes, end := []rune(p.Text), longestSame/2
	return fmt.Sprintf("%s… (%s characters are the same) …%s", string(runes[:end]), thousands(n-2*end), string(runes[n-end:]))
}

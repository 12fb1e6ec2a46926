package adapter

import "strings"

// A field marker is a line such as "[[ ## label ## ]]". Text that came from data
// must not pass for one, so before it is rendered each "[[ ##" in it gets a zero
// width joiner after the brackets, which a model reads over and no parser takes
// for a marker. A "[[ ##" in the middle of a line is treated alike: DSPy's parser
// takes it for text, but a model may not. revealMarkers undoes it in what a model
// repeats.
const (
	markerOpen   = "[[ ##"
	markerClose  = "## ]]"
	markerHidden = "[[\u200d ##"
	// Text that already holds the hidden form gets one joiner more, so that hiding
	// can be undone exactly.
	joiner = "\u200d"
)

// hideMarkers makes the field markers in data harmless. Text without one is
// returned as it is.
func hideMarkers(s string) string {
	if !strings.Contains(s, " ##") {
		return s
	}
	return mapMarkers(s, func(joiners int) int { return joiners + 1 })
}

// revealMarkers undoes hideMarkers.
func revealMarkers(s string) string {
	if !strings.Contains(s, joiner) {
		return s
	}
	return mapMarkers(s, func(joiners int) int { return max(joiners-1, 0) })
}

// mapMarkers changes the number of joiners inside every "[[", joiners, " ##".
func mapMarkers(s string, change func(int) int) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "[[")
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		i += 2
		for strings.HasPrefix(s[i:], "[") { // the last two of a run of brackets count
			i++
		}
		b.WriteString(s[:i])
		s = s[i:]
		n := 0
		for strings.HasPrefix(s[n*len(joiner):], joiner) {
			n++
		}
		if rest := s[n*len(joiner):]; strings.HasPrefix(rest, " ##") {
			b.WriteString(strings.Repeat(joiner, change(n)))
			s = rest
		}
	}
}

func marker(name string) string { return markerOpen + " " + name + " " + markerClose }

// markerAt returns the field that a line's marker names and what follows it on
// the line.
func markerAt(line string) (name, rest string, ok bool) {
	line = strip(line)
	after, ok := strings.CutPrefix(line, markerOpen+" ")
	if !ok {
		return "", "", false
	}
	end := strings.IndexFunc(after, func(r rune) bool { return !wordRune(r) })
	if end <= 0 {
		return "", "", false
	}
	if rest, ok = strings.CutPrefix(after[end:], " "+markerClose); !ok {
		return "", "", false
	}
	name = after[:end]
	return name, rest, true
}

package price

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// pattern is one text of a matcher.
type pattern struct {
	not         bool
	open, close bool // anything may stand before the text, or behind it
	text        string
	re          *regexp.Regexp
}

func parsePattern(s string) (pattern, error) {
	var p pattern
	text := s
	text, p.not = strings.CutPrefix(text, "!")
	if expression, ok := strings.CutPrefix(text, "re:"); ok {
		re, err := regexp.Compile(expression)
		if err != nil {
			return p, fmt.Errorf("the pattern %s holds no regular expression: %w", short(s), err)
		}
		p.re = re
		return p, nil
	}
	text, p.open = strings.CutPrefix(text, "*")
	text, p.close = strings.CutSuffix(text, "*")
	if text == "" || strings.Contains(text, "*") {
		return p, fmt.Errorf("the pattern %s is not a text with a * at its begin, its end or both", short(s))
	}
	p.text = strings.ToLower(text)
	return p, nil
}

// match reports whether a name in lower case is one of the pattern's.
func (p *pattern) match(name string) bool {
	var ok bool
	switch {
	case p.re != nil:
		ok = p.re.MatchString(name)
	case p.open && p.close:
		ok = strings.Contains(name, p.text)
	case p.open:
		ok = strings.HasSuffix(name, p.text)
	case p.close:
		ok = strings.HasPrefix(name, p.text)
	default:
		ok = name == p.text
	}
	return ok != p.not
}

// exact reports whether the pattern stands for one name alone.
func (p *pattern) exact() bool { return p.re == nil && !p.open && !p.close && !p.not }

// matcher is a list of alternatives, in each of which all patterns must match.
type matcher [][]pattern

func (m matcher) match(name string) bool {
	for _, all := range m {
		ok := true
		for i := range all {
			ok = ok && all[i].match(name)
		}
		if ok {
			return true
		}
	}
	return false
}

// UnmarshalJSON reads ["a", ["b*", "!*c"]].
func (m *matcher) UnmarshalJSON(data []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("%s is not a list of patterns", short(string(data)))
	}
	for _, raw := range list {
		texts := make([]string, 1)
		if err := json.Unmarshal(raw, &texts[0]); err != nil {
			if err := json.Unmarshal(raw, &texts); err != nil || len(texts) == 0 {
				return fmt.Errorf("%s is neither a pattern nor a list of some", short(string(raw)))
			}
		}
		var all []pattern
		for _, text := range texts {
			p, err := parsePattern(text)
			if err != nil {
				return err
			}
			all = append(all, p)
		}
		*m = append(*m, all)
	}
	return nil
}

// compactDate is the day in a name such as gpt-5.2-20251211.
var compactDate = regexp.MustCompile(`-(20\d\d)(\d\d)(\d\d)([-:]|$)`)

// dashed writes the days in a name as providers do that do not write them compactly.
func dashed(name string) string {
	return compactDate.ReplaceAllStringFunc(name, func(s string) string {
		p := compactDate.FindStringSubmatch(s)
		day := p[1] + "-" + p[2] + "-" + p[3]
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return s
		}
		return "-" + day + p[4]
	})
}

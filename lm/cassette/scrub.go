package cassette

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/whetgo/whet/lm"
)

// Scrubbed is what stands in place of a secret.
const Scrubbed = "***"

// maxRounds is how often a text is scrubbed before that counts as endless.
const maxRounds = 8

// scrubber takes secrets out of texts. It holds the user's own ones inside of functions
// only, where no print can show them.
type scrubber struct {
	rules   []func(string) string
	builtin []rule
}

// newScrubber makes one of the user's rules and those that always apply. The user's come
// first: they may look for texts of which another rule would take a part.
func newScrubber(rules []func(string) string) *scrubber {
	return &scrubber{rules, builtin()}
}

// The rules know secrets by the words around them or by how they begin. Each keeps what
// it leaves from being matched by itself again.
const (
	// keyWords end the names of headers, variables and fields that hold a key.
	keyWords = `[\w-]*(?:api[_-]?key|(?:api|access|auth|refresh|session)[_-]?token|client[_-]?secret|secret[_-]?(?:access[_-]?)?key)`
	// equals is what stands between a name and its value, also in JSON, also in JSON
	// that is itself a text of JSON, or as a list.
	equals = `\\*["']?[ \t]*[:=][ \t]*\[?[ \t]*\\*["']?`
	// begins are how keys of known services begin.
	begins = `sk-|[spr]k_(?:live|test)_|gsk_|hf_|gh[opusr]_|github_pat_|glpat-|xox[abprs]-|AIza|AKIA|ASIA|r8_|pplx-|xai-|nvapi-`
)

// rule is one that always applies, to texts that hold one of its hints in small or large
// letters: most texts hold none, and looking for them is cheap.
type rule struct {
	hints []string
	apply func(string) string
}

func builtin() []rule {
	bearer := regexp.MustCompile(`(?i)(\bbearer[ \t]+)([A-Za-z0-9._~+/=-]+)`)
	begun := regexp.MustCompile(`((?:^|[^A-Za-z0-9])(?:` + begins + `))([A-Za-z0-9_-]{8,})`)
	return []rule{
		{[]string{"private key"}, replace(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----`, Scrubbed)},
		{[]string{"authorization"}, replace(`(?i)\b((?:proxy-)?authorization`+equals+`)(?:digest\b[^\r\n]*|[^\s{\["\\][^\r\n"\\]*)`, "${1}"+Scrubbed)},
		{[]string{"cookie"}, replace(`(?i)\b((?:set-)?cookie2?`+equals+`)[^\r\n"\\=]+=[^\r\n"\\]*`, "${1}"+Scrubbed)},
		{[]string{"bearer"}, secondIf(bearer, random)},
		{strings.Split("sk- k_live_ k_test_ gsk_ hf_ gho_ ghp_ ghu_ ghs_ ghr_ github_pat_ glpat- xox aiza akia asia r8_ pplx- xai- nvapi-", " "), secondIf(begun, random)},
		{[]string{"eyj"}, replace(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`, Scrubbed)},
		{[]string{"://"}, replace(`(\w://)[^/\s:@"']*:[^/\s@"']+@`, "${1}"+Scrubbed+"@")},
		{[]string{"key", "token", "secret"}, secondIf(regexp.MustCompile(`(?i)(`+keyWords+equals+`)([^\s"'\\,;&<>{}()\[\]]+)`), func(value string) bool {
			return value != "true" && value != "false" && value != "null"
		})},
	}
}

func replace(pattern, by string) func(string) string {
	re := regexp.MustCompile(pattern)
	return func(s string) string { return re.ReplaceAllString(s, by) }
}

// secondIf replaces the second of a pattern's two groups where the condition holds.
func secondIf(re *regexp.Regexp, condition func(string) bool) func(string) string {
	return func(s string) string {
		var b strings.Builder
		from := 0
		for _, m := range re.FindAllStringSubmatchIndex(s, -1) {
			if condition(s[m[4]:m[5]]) {
				b.WriteString(s[from:m[4]])
				b.WriteString(Scrubbed)
				from = m[5]
			}
		}
		if from == 0 {
			return s
		}
		b.WriteString(s[from:])
		return b.String()
	}
}

// random reports whether a word looks like a key and not like a word.
func random(s string) bool {
	return len(s) >= 20 || len(s) >= 6 && strings.ContainsAny(s, "0123456789")
}

// text scrubs until nothing changes any more: one rule may bring forth what another looks
// for, and what is scrubbed must stay as it is when it is scrubbed again.
func (s *scrubber) text(t text) (text, error) {
	at := string(t)
	for range maxRounds {
		next := at
		for _, redact := range s.rules {
			next = redact(next)
		}
		small := strings.ToLower(next)
		for _, rule := range s.builtin {
			if slices.ContainsFunc(rule.hints, func(hint string) bool { return strings.Contains(small, hint) }) {
				next = rule.apply(next)
			}
		}
		if next == at {
			return text(at), nil
		}
		at = next
	}
	return "", &lm.Error{
		Kind: lm.ErrInvalidRequest, Provider: "cassette",
		Message: fmt.Sprintf("a Pattern or Redact function changes its own result again and again (a text of %d bytes); it must leave alone what it has scrubbed", len(t)),
	}
}

// scrub scrubs all texts of what a pointer points to; of nil there are none.
func scrub[T any](s *scrubber, v *T) error { return s.walk(reflect.ValueOf(v)) }

// walk scrubs all texts of a value. By reflection, so that it misses no field that the
// format gets.
func (s *scrubber) walk(v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return s.walk(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if err := s.walk(v.Field(i)); err != nil {
				return err
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := s.walk(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.String:
		if v.Type() != reflect.TypeFor[text]() {
			return nil
		}
		clean, err := s.text(text(v.String()))
		if err != nil {
			return err
		}
		v.SetString(string(clean))
	default:
	}
	return nil
}

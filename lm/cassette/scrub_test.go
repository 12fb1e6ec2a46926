package cassette

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/whetgo/whet/internal/wire"
	"github.com/whetgo/whet/lm"
)

// The canaries are put together, so that no scanner takes this file for a leak.
var (
	canary = "sk-" + "canary0123456789abcdef"
	jwt    = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
	pem    = "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----"
)

func TestScrub(t *testing.T) {
	t.Parallel()
	s := newScrubber(nil)
	for _, tt := range []struct{ in, want string }{
		{"My key is " + canary + ".", "My key is sk-***."},
		{"sk-proj-" + strings.Repeat("aB3_", 20), "sk-***"},
		{canary + "," + canary, "sk-***,sk-***"},
		{"AIza" + strings.Repeat("b1", 18), "AIza***"},
		{"ghp_" + strings.Repeat("c2", 18), "ghp_***"},
		{"key=hf_" + strings.Repeat("q", 30), "key=hf_***"},
		{"Bearer abcdef123456", "Bearer ***"},
		{"bearer\tABCDEFGHIJKLMNOPQRSTUVWXYZ", "bearer\t***"},
		{"Authorization: Bearer abc123def\nHost: x", "Authorization: ***\nHost: x"},
		{"authorization: Basic dXNlcjpwYXNz", "authorization: ***"},
		{"Proxy-Authorization: Digest username=\"a\"", "Proxy-Authorization: ***"},
		{`{"Authorization": "Bearer abc123def", "n": 1}`, `{"Authorization": "***", "n": 1}`},
		{`{"Authorization":["Bearer abc123def"]}`, `{"Authorization":["***"]}`},
		{`{\"authorization\": \"Bearer abc123def\"}`, `{\"authorization\": \"***\"}`},
		{"map[Authorization:[Bearer abc123def]]", "map[Authorization:[***"},
		{"Cookie: session=abc; theme=dark", "Cookie: ***"},
		{"Set-Cookie: id=a3f\r\nX: y", "Set-Cookie: ***\r\nX: y"},
		{"x-api-key: hunter2hunter2", "x-api-key: ***"},
		{"X-Goog-Api-Key:hunter2", "X-Goog-Api-Key:***"},
		{"OPENAI_API_KEY=hunter2 go run .", "OPENAI_API_KEY=*** go run ."},
		{"export AWS_SECRET_ACCESS_KEY='hunter/2+x'", "export AWS_SECRET_ACCESS_KEY='***'"},
		{`{"api_key": "hunter2", "model": "m"}`, `{"api_key": "***", "model": "m"}`},
		{`{"apiKey":"hunter2"}`, `{"apiKey":"***"}`},
		{"GET /v1?access_token=hunter2&n=1", "GET /v1?access_token=***&n=1"},
		{"client_secret : hunter2", "client_secret : ***"},
		{"token " + jwt + " end", "token *** end"},
		{"https://user:hunter2@example.org/v1", "https://***@example.org/v1"},
		{"before\n" + pem + "\nafter", "before\n***\nafter"},

		// What is no secret stays as it is.
		{"The bearer instruments were sold.", "The bearer instruments were sold."},
		{"a task-force and a sk-learn pipeline", "a task-force and a sk-learn pipeline"},
		{"The secretary keyed in the cookie recipe: flour, sugar.", "The secretary keyed in the cookie recipe: flour, sugar."},
		{`{"api_key": null, "api_token": true}`, `{"api_key": null, "api_token": true}`},
		{`{"properties": {"api_key": {"type": "string"}, "authorization": {"type": "string"}}}`, `{"properties": {"api_key": {"type": "string"}, "authorization": {"type": "string"}}}`},
		{"https://example.org:8080/a@b", "https://example.org:8080/a@b"},
		{"Set max_tokens: 20", "Set max_tokens: 20"},
		{"", ""},
		{"caf\xe9 \xff", "caf\xe9 \xff"},
	} {
		got, err := s.text(text(tt.in))
		if err != nil || string(got) != tt.want {
			t.Errorf("%q became %q, %v, want %q", tt.in, got, err, tt.want)
		}
		if again, err := s.text(got); err != nil || again != got {
			t.Errorf("%q became %q when it was scrubbed again", got, again)
		}
	}
}

func rules(t *testing.T, opts ...Option) *scrubber {
	t.Helper()
	c, err := configOf(opts)
	if err != nil {
		t.Fatal(err)
	}
	return newScrubber(c.rules)
}

func TestScrubOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		s        *scrubber
		in, want string
	}{
		{"secret", rules(t, Secret("hunter2hunter2")), "it is hunter2hunter2!", "it is ***!"},
		{"longer secret first", rules(t, Secret("hunter", "hunter2")), "hunter2 and hunter", "*** and ***"},
		{"pattern", rules(t, Pattern(regexp.MustCompile(`\d{3}-\d{4}`), regexp.MustCompile(`[a-z]+@[a-z.]+`))), "call 555-1234 or jo@x.org", "call *** or ***"},
		{"pattern with $", rules(t, Pattern(regexp.MustCompile(`\$(\d+)`))), "costs $12", "costs ***"},
		{"function", rules(t, Redact(strings.ToLower)), "ABC", "abc"},
		{"functions that need each other", rules(t,
			Redact(func(s string) string { return strings.ReplaceAll(s, "b", "c") }),
			Redact(func(s string) string { return strings.ReplaceAll(s, "a", "b") })), "a", "c"},
		{"stars", rules(t, Pattern(regexp.MustCompile(`\*+`))), "a ** b", "a *** b"},
	} {
		if got, err := tt.s.text(text(tt.in)); err != nil || string(got) != tt.want {
			t.Errorf("%s: %q became %q, %v, want %q", tt.name, tt.in, got, err, tt.want)
		}
	}
}

func TestScrubWithoutEnd(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]Option{
		"grows": Redact(func(s string) string { return s + "x" }),
		"swaps": Redact(func(s string) string {
			if strings.HasPrefix(s, "a") {
				return "b"
			}
			return "a"
		}),
		"pattern": Pattern(regexp.MustCompile(`.`)),
	} {
		if got, err := rules(t, opt).text("secret text"); !errors.Is(err, lm.ErrInvalidRequest) || strings.Contains(err.Error(), "secret text") {
			t.Errorf("%s: %q, error %v, want one of kind %q without the text", name, got, err, lm.ErrInvalidRequest)
		}
	}
}

// TestScrubEveryField puts a secret into every text of a line and finds none after.
func TestScrubEveryField(t *testing.T) {
	t.Parallel()
	l := &line{
		Model: text(canary), Request: wireRequest(filled[lm.Request]()), Response: wire.FromResponse(filled[lm.Response]()),
		Error: wireError(fmt.Errorf("around: %w", filled[lm.Error]())),
	}
	n := 0
	plant(reflect.ValueOf(l).Elem(), &n)
	if n < 60 {
		t.Fatalf("only %d texts were seen", n)
	}
	before, err := encodeLine(l)
	if err != nil {
		t.Fatal(err)
	}
	if err := scrub(newScrubber(nil), l); err != nil {
		t.Fatal(err)
	}
	data, err := encodeLine(l)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(before), canary); got != n {
		t.Fatalf("%d of %d canaries were written", got, n)
	}
	if strings.Contains(string(data), "canary") {
		t.Errorf("a canary is left in %s", data)
	}
}

// plant puts the canary into all texts.
func plant(v reflect.Value, n *int) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			plant(v.Elem(), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			plant(v.Field(i), n)
		}
	case reflect.Slice:
		for i := range v.Len() {
			plant(v.Index(i), n)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[text]() {
			*n++
			v.SetString("before " + canary + " after")
		}
	default:
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]Option{
		"short secret":  Secret("hunter2hunter2", "abc"),
		"empty secret":  Secret(""),
		"stars":         Secret("abc***def"),
		"empty pattern": Pattern(regexp.MustCompile(`a*`)),
		"nil pattern":   Pattern(nil),
		"nil function":  Redact(nil),
	} {
		_, err := configOf([]Option{opt})
		if !errors.Is(err, lm.ErrInvalidRequest) {
			t.Errorf("%s: error %v, want kind %q", name, err, lm.ErrInvalidRequest)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %q holds a secret", name, err)
		}
	}
}

// TestSecretsDoNotPrint looks at all that a user may print.
func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	s := rules(t, Secret(canary))
	rec := &Recorder{path: "a", scrub: s}
	p := &Player{path: "a", scrub: s, inner: &taped{rec: rec}}
	for _, v := range []any{Secret(canary), s, rec, p} {
		if got := fmt.Sprintf("%v %+v %#v", v, v, v); strings.Contains(got, "canary") {
			t.Errorf("%T prints the secret: %s", v, got)
		}
	}
}

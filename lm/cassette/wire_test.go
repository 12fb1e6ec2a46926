package cassette

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/whetgo/whet/internal/canonical"
	"github.com/whetgo/whet/internal/wire"
	"github.com/whetgo/whet/lm"
)

// fill gives every field of a value one of its own, so that a field which a cassette
// forgets comes back different.
func fill(v reflect.Value, n *int, depth int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n, depth)
		}
	case reflect.Pointer:
		if depth > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), n, depth-1)
		}
	case reflect.Slice:
		if depth > 0 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			for i := range 2 {
				fill(v.Index(i), n, depth-1)
			}
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d <&> \"ü\"", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(float64(*n) / 3)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(math.MaxUint64 - uint64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256)) // not UTF-8
	case reflect.Interface:
	default:
		panic("a field of a kind that fill does not know: " + v.Kind().String())
	}
}

func filled[T any]() *T {
	var v T
	n := 0
	fill(reflect.ValueOf(&v).Elem(), &n, 5)
	return &v
}

// there writes a line and reads it again.
func there(t *testing.T, l *line) *line {
	t.Helper()
	data, err := encodeLine(l)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(data), "\n") != 1 || !strings.HasSuffix(string(data), "\n") {
		t.Fatalf("%q is not one line", data)
	}
	back, err := decodeLine(data)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestEveryFieldComesBack(t *testing.T) {
	t.Parallel()
	r, resp := filled[lm.Request](), filled[lm.Response]()
	back := there(t, &line{Model: "m", Request: wireRequest(r), Response: wire.FromResponse(resp)})
	got, err := back.Request.lm()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, r) {
		t.Errorf("the request came back as\n%+v, want\n%+v", got, r)
	}
	if canonical.Request(got, false) != canonical.Request(r, false) {
		t.Error("the request came back with another key")
	}
	if answer, err := back.reply(); err != nil || !reflect.DeepEqual(answer, resp) {
		t.Errorf("the response came back as\n%+v, %v, want\n%+v", answer, err, resp)
	}
}

func TestErrorsComeBack(t *testing.T) {
	t.Parallel()
	whole := filled[lm.Error]()
	tooLong := &lm.ContextLengthError{Prompt: 10, Reply: 20, Limit: 15}
	for _, err := range []error{
		whole,
		&lm.Error{Kind: lm.ErrRateLimit, RetryAfter: 1500*time.Millisecond + 1},
		&lm.Error{Kind: lm.ErrContextLength, Err: tooLong},
		&lm.Error{Kind: lm.ErrContextLength, Err: fmt.Errorf("around: %w", tooLong)},
		&lm.Error{Kind: lm.ErrBackend, Err: errors.New("connection reset")},
		fmt.Errorf("around: %w", &lm.Error{Kind: lm.ErrQuota}),
		errors.Join(errors.New("one"), &lm.Error{Kind: lm.ErrAuth}),
		errors.New("not of package lm"),
	} {
		resp, got := there(t, &line{Error: wireError(err)}).reply()
		if resp != nil || got == nil || got.Error() != err.Error() {
			t.Errorf("%q came back as %v", err, got)
			continue
		}
		var want, e *lm.Error
		if errors.As(err, &want) != errors.As(got, &e) {
			t.Errorf("%#v came back as %#v", err, got)
		}
		if want != nil {
			a, b := *want, *e
			a.Err, b.Err = nil, nil
			if !reflect.DeepEqual(a, b) || !errors.Is(got, want.Kind) {
				t.Errorf("%+v came back as %+v", a, b)
			}
		}
		var long *lm.ContextLengthError
		if errors.Is(err, lm.ErrContextLength) && (!errors.As(got, &long) || *long != *tooLong) {
			t.Errorf("%v came back without its lengths: %#v", err, got)
		}
	}
}

// TestStrangeValues are what JSON has no way to write.
func TestStrangeValues(t *testing.T) {
	t.Parallel()
	resp := &lm.Response{Text: "half \xe2\x82", Logprobs: []lm.TokenLogprob{
		{Token: "\xe2\x82", LogProb: math.Inf(-1)}, {Token: "\u2028<", LogProb: math.Inf(1)}, {Token: "{", LogProb: -1e-300},
	}}
	minus := math.Copysign(0, -1)
	r := &lm.Request{Prompt: "not UTF-8: \xff\xfe", Temperature: &minus, Seed: lm.Seed(math.MaxUint64), Stop: []string{"\x00", ""}}
	l := there(t, &line{Request: wireRequest(r), Response: wire.FromResponse(resp)})
	if got, err := l.reply(); err != nil || !reflect.DeepEqual(got, resp) {
		t.Errorf("%+v came back as %+v, %v", resp, got, err)
	}
	if got, err := l.Request.lm(); err != nil || canonical.Request(got, false) != canonical.Request(r, false) {
		t.Errorf("%+v came back as %+v, %v, with another key", r, got, err)
	}
	nan := there(t, &line{Response: &response{Logprobs: []wire.Logprob{{LogProb: number(math.NaN())}}}})
	if got := float64(nan.Response.Logprobs[0].LogProb); !math.IsNaN(got) {
		t.Errorf("NaN came back as %v", got)
	}
}

func TestKindNames(t *testing.T) {
	t.Parallel()
	for k := lm.HoleNone; k <= lm.HolePattern+2; k++ {
		name := nameOf(holeKinds(), k)
		if got, err := kindOf[lm.HoleKind](holeKinds(), name); err != nil || got != k {
			t.Errorf("hole kind %d is %q and comes back as %d, %v", k, name, got, err)
		}
	}
	if nameOf(holeKinds(), lm.HolePattern) != "pattern" || nameOf(holeKinds(), lm.HoleText) != "text" || nameOf(blobKinds(), lm.BlobFile) != "file" {
		t.Error("kinds have the wrong names")
	}
	if _, err := kindOf[lm.HoleKind](holeKinds(), "song"); err == nil {
		t.Error("a kind that is not known was read")
	}
}

func TestDecodeLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, data, want string }{
		{"good", `{"request":{"prompt":"a"},"response":{"text":"b","usage":{}}}`, ""},
		{"error", `{"request":{"prompt":"a"},"error":{"kind":"timed out"}}`, ""},
		{"neither", `{"request":{"prompt":"a"}}`, "a response or an error"},
		{"both", `{"request":{},"response":{"text":"b","usage":{}},"error":{"text":"c"}}`, "not both"},
		{"unknown field", `{"request":{"promt":"a"},"error":{"text":"c"}}`, "promt"},
		{"two values", `{"request":{},"error":{"text":"c"}} {}`, "something after the value"},
		{"no object", `[]`, "cannot unmarshal"},
		{"cut", `{"request":{"prompt":"a`, "unexpected EOF"},
		{"empty", ``, "EOF"},
		{"hole", `{"request":{"shape":{"segments":[{"hole":"song"}]}},"error":{"text":"c"}}`, `"song"`},
		{"blob", `{"request":{"messages":[{"role":"user","parts":[{"blob":{"kind":"song"}}]}]},"error":{"text":"c"}}`, `"song"`},
		{"duration", `{"request":{},"error":{"kind":"timed out","retry_after":"soon"}}`, "soon"},
		{"number", `{"request":{"temperature":"hot"},"error":{"text":"c"}}`, `"hot"`},
		{"base64", `{"request":{"prompt":{"base64":"?"}},"error":{"text":"c"}}`, "base64"},
		{"base64 and more", `{"request":{"prompt":{"base64":"","x":1}},"error":{"text":"c"}}`, "unknown field"},
		{"deep", `{"request":{},"response":{"text":"b","usage":{},"logprobs":` + strings.Repeat(`[{"token":"a","logprob":0,"top":`, 20_000), ""},
	} {
		_, err := decodeLine([]byte(tt.data))
		switch {
		case tt.name == "deep":
			if err == nil {
				t.Error("a value of depth 20,000 was read")
			}
		case (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: error %v, want %q in it", tt.name, err, tt.want)
		}
	}
}

package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
)

const testKey = "whet-Key.of+the/tests=="

func TestSecret(t *testing.T) {
	t.Parallel()
	s := newSecret(testKey)
	if s.value() != testKey || (secret{}).value() != "" {
		t.Fatal("the key is not what was put in")
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("a", "key", s)
	data, err := json.Marshal(map[string]any{"key": s})
	if err != nil {
		t.Fatal(err)
	}
	type holder struct{ inner secret }
	all := []string{log.String(), string(data), s.String(), s.GoString()}
	for _, v := range []any{s, &s, holder{s}, &holder{s}, []secret{s}, map[string]secret{"a": s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
			all = append(all, fmt.Sprintf(verb, v))
		}
	}
	for _, text := range all {
		if strings.Contains(text, testKey) || strings.Contains(text, fmt.Sprintf("%x", testKey)) {
			t.Errorf("the key shows in %s", text)
		}
	}
	if got := fmt.Sprintf("%d %v", s, s); got != "*** ***" {
		t.Errorf("printed as %q", got)
	}
}

func TestScrub(t *testing.T) {
	t.Parallel()
	s := newScrubber([]string{testKey, "abc", ""})
	for in, want := range map[string]string{
		"no key here, abc":                            "no key here, abc",
		"a " + testKey + " b":                         "a *** b",
		"a " + strings.ToLower(testKey):               "a ***",
		"?key=whet-Key.of%2Bthe%2Ftests%3D%3D&x":      "?key=***&x",
		"Authorization: Bearer abcdefgh, and":         "Authorization: ***, and",
		"Incorrect API key provided: sk-proj-abc*def": "Incorrect API key provided: ***",
		"AIzaSyA1234567890abcdefg":                    "***",
		"api_key=12345678&a=b":                        "***&a=b",
		`{"access_token": "12345678"}`:                `{"***"}`,
		"a risk-based and task-list text":             "a risk-based and task-list text",
	} {
		if got := s.clean(in); got != want {
			t.Errorf("%q is cleaned to %q, want %q", in, got, want)
		}
	}
}

func TestCleanCauses(t *testing.T) {
	t.Parallel()
	s := newScrubber([]string{testKey})
	plain := fmt.Errorf("at the end: %w", io.EOF)
	if got := s.cause(plain); got != plain { //nolint:errorlint // the very same
		t.Errorf("an error without a key becomes %v", got)
	}
	if s.cause(nil) != nil {
		t.Error("no error becomes one")
	}
	got := s.cause(fmt.Errorf("header %q: %w", testKey, io.EOF))
	if !errors.Is(got, io.EOF) || errors.Is(got, io.ErrClosedPipe) || errors.Unwrap(got) != nil || got.Error() != `header "***": EOF` {
		t.Errorf("an error with a key becomes %v", got)
	}
	if text := fmt.Sprintf("%+v %#v", got, got); strings.Contains(text, testKey) {
		t.Errorf("the key shows in %s", text)
	}
}

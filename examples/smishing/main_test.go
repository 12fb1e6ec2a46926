package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/module"
)

// The whole example on the embedded sample and a few test rows: search, table,
// save, load, and the saved program again.
func TestRun(t *testing.T) {
	t.Parallel()
	if os.Getenv("WHET_MODEL_SMOLLM2") == "" {
		t.Skip(`WHET_MODEL_SMOLLM2 is not set: run make models and eval "$(scripts/setup env)"`)
	}
	path := filepath.Join(t.TempDir(), "program.json")
	var out, log strings.Builder
	err := run(t.Context(), []string{"-data", "sample", "-limit", "4", "-candidates", "0", "-save", path}, &out, &log)
	if err != nil && strings.Contains(err.Error(), "llama.cpp is not built in") {
		t.Skip("built without the tag llamacpp")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	for _, want := range []string{
		"NOT the real data", "always ham", "naive Bayes", "typed + Calibrate", "few-shot search, macro F1 + Calibrate",
		"95 % interval", "truth \\ answer", "saved " + path,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if strings.HasPrefix(line, "typed ") && !regexp.MustCompile(`\s0\s*(\d\.\d+)?\s*$`).MatchString(line) {
			t.Errorf("a typed program has failed rows: %s", line)
		}
	}
	var again strings.Builder
	if err := run(t.Context(), []string{"-data", "sample", "-limit", "4", "-program", path, "-quiet"}, &again, &log); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(again.String(), path) {
		t.Errorf("the saved program is no row of the table:\n%s", again.String())
	}
}

// Gemma's file has no chat template: without the flag its messages are an error that
// says what to do, and with it they are answered.
func TestChatTemplate(t *testing.T) {
	model := os.Getenv("WHET_MODEL_GEMMA")
	if model == "" {
		t.Skip(`WHET_MODEL_GEMMA is not set: run make models and eval "$(scripts/setup env)"`)
	}
	path := filepath.Join(t.TempDir(), "program.json")
	c, err := newClassifier(adapter.Chat{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := module.Save(path, c); err != nil {
		t.Fatal(err)
	}
	args := []string{"-model", model, "-adapter", "chat", "-data", "sample", "-limit", "3", "-quiet", "-program", path}
	var out, log strings.Builder
	err = run(t.Context(), args, &out, &log)
	if err != nil && strings.Contains(err.Error(), "llama.cpp is not built in") {
		t.Skip("built without the tag llamacpp")
	}
	failed := regexp.MustCompile(`(?m)^\S*program\.json\s.*\s(\d+)\s*$`)
	if m := failed.FindStringSubmatch(out.String()); err != nil || m == nil || m[1] != "3" || !strings.Contains(out.String(), "llamacpp.Template") {
		t.Errorf("without a template: %v\n%s", err, out.String())
	}
	out.Reset()
	if err := run(t.Context(), append(args, "-chat-template", "gemma"), &out, &log); err != nil {
		t.Fatal(err)
	}
	if m := failed.FindStringSubmatch(out.String()); m == nil || m[1] != "0" {
		t.Errorf("with a template:\n%s", out.String())
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first100.csv", "LABEL,TEXT\nham,hello\neggs,is this food?\n")
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"adapter":       {[]string{"-adapter", "loud"}, []string{"loud", "compact or chat"}},
		"argument":      {[]string{"now"}, []string{"now"}},
		"no data":       {[]string{"-data", filepath.Join(dir, "none")}, []string{"first100.csv"}},
		"unknown label": {[]string{"-data", dir}, []string{"first100.csv", "3", "eggs"}},
	} {
		var out, log strings.Builder
		err := run(t.Context(), c.args, &out, &log)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: run returned %v, want an error that names %q", name, err, want)
			}
		}
	}
}

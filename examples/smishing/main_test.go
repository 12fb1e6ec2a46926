package main

import (
	"errors"
	"fmt"
	"io/fs"
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

// typedFile is a program of the talk's form, with messages of our own.
const typedFile = "../../module/testdata/state_old_2.5.14_typed.json"

// Files and folders, of both programs, become programs.
func TestSavedPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	typed, err := os.ReadFile(filepath.FromSlash(typedFile))
	if err != nil {
		t.Fatal(err)
	}
	c, err := newClassifier(adapter.Compact{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		os.Mkdir(filepath.Join(dir, "old"), 0o700),
		os.WriteFile(filepath.Join(dir, "old", "talk.json"), typed, 0o600),
		os.WriteFile(filepath.Join(dir, "notes.txt"), typed, 0o600),
		module.Save(filepath.Join(dir, "new.json"), c),
	); err != nil {
		t.Fatal(err)
	}
	files, err := savedFiles([]string{dir, filepath.FromSlash(typedFile)})
	if err != nil {
		t.Fatal(err)
	}
	var names, kinds []string
	var log strings.Builder
	e := &experiment{adapter: adapter.Compact{}, log: &log}
	for _, f := range files {
		program, err := e.load(f.path)
		if err != nil {
			t.Fatal(err)
		}
		names, kinds = append(names, filepath.ToSlash(f.name)), append(kinds, fmt.Sprintf("%T", program))
	}
	if got, want := strings.Join(names, " "), "new.json old/talk.json "+typedFile; got != want {
		t.Errorf("files %s, want %s", got, want)
	}
	if got, want := strings.Join(kinds, " "), "*main.Classifier *main.Talk *main.Talk"; got != want {
		t.Errorf("programs %s, want %s", got, want)
	}
	if !strings.Contains(log.String(), `it is "generate_answer.predictor" in the file`) {
		t.Errorf("the log does not say what was adapted:\n%s", log.String())
	}

	if _, err := savedFiles([]string{t.TempDir()}); err == nil {
		t.Error("a folder without programs is no error")
	}
	if _, err := e.load(filepath.Join(dir, "notes.md")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	var le *module.LoadError
	if err := os.WriteFile(filepath.Join(dir, "new.json"), typed[:300], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := e.load(filepath.Join(dir, "new.json")); !errors.As(err, &le) {
		t.Errorf("half a file: %v", err)
	}
}

// The seven programs of the talk, which are real data and not part of this module,
// are rows of the table.
func TestProgramsOfTheTalk(t *testing.T) {
	if os.Getenv("WHET_MODEL_SMOLLM2") == "" {
		t.Skip(`WHET_MODEL_SMOLLM2 is not set: run make models and eval "$(scripts/setup env)"`)
	}
	dir := filepath.Join("..", "..", "..", "shared", "data", "smishing", "programs")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the saved programs are not there: %v", err)
	}
	var out, log strings.Builder
	err := run(t.Context(), []string{"-data", "sample", "-limit", "1", "-program", dir, "-program", filepath.FromSlash(typedFile)}, &out, &log)
	if err != nil && strings.Contains(err.Error(), "llama.cpp is not built in") {
		t.Skip("built without the tag llamacpp")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	rows := regexp.MustCompile(`(?m)^\S+\.json  +\d\.\d+ `).FindAllString(out.String(), -1)
	if len(rows) != 8 {
		t.Errorf("%d rows of saved programs, want 8:\n%s", len(rows), out.String())
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
		"adapter":       {[]string{"-adapter", "loud"}, []string{"loud", "compact-terse, compact"}},
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

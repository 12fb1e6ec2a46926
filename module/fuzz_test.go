package module_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/module"
)

// fuzzed are the programs that FuzzUnmarshal loads files into.
func fuzzed(n uint8) any {
	makers := []func() any{
		func() any { return newSMS() },
		func() any { return newCoT() },
		func() any { return newComposite() },
		func() any { return newJudged() },
		func() any { return newTalk() },
		func() any { return &two{newCoT(), module.MustPredict[rateIn, rateOut]("")} },
	}
	return makers[int(n)%len(makers)]()
}

// Whatever the bytes are, loading them does not panic; it changes all of the
// program's states or returns a *LoadError and changes none; and what was loaded
// and saved loads again to the same states and bytes.
func FuzzUnmarshal(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for n := range uint8(6) {
			f.Add(n, data)
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, data []byte) {
		program := fuzzed(n)
		before := statesOf(t, program)
		report, err := module.Unmarshal(data, program)
		loaded := statesOf(t, program)
		if err != nil {
			var le *module.LoadError
			if !errors.As(err, &le) || report != nil {
				t.Fatalf("%v and %v (%T), want a *LoadError alone", report, err, err)
			}
			if diff := cmp.Diff(before, loaded); diff != "" {
				t.Fatalf("%v, and yet the program was changed:\n%s", err, diff)
			}
			return
		}
		saved := marshal(t, program)
		again := fuzzed(n)
		report, err = module.Unmarshal(saved, again)
		if err != nil {
			t.Fatalf("saved again, it does not load: %v\n%s", err, saved)
		}
		if len(report.Notes) > 0 {
			t.Errorf("saved again, it has to be adapted: %v\n%s", report.Notes, saved)
		}
		if diff := cmp.Diff(loaded, statesOf(t, again)); diff != "" {
			t.Errorf("states (-loaded +saved and loaded):\n%s", diff)
		}
		if diff := cmp.Diff(string(saved), string(marshal(t, again))); diff != "" {
			t.Errorf("bytes:\n%s", diff)
		}
	})
}

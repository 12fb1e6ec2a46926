package llamacpp

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// times makes timings of repeats in milliseconds, the file as shipped first.
func times(repeats ...[]int) []WeightTiming {
	types := []WeightType{WeightsAsShipped, WeightsBF16, WeightsF16, WeightsQ8_0}
	var out []WeightTiming
	for i, r := range repeats {
		t := WeightTiming{Type: types[i], Bytes: int64(i + 1)}
		for _, ms := range r {
			t.Repeats = append(t.Repeats, time.Duration(ms)*time.Millisecond)
		}
		out = append(out, t)
	}
	return out
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		timings []WeightTiming
		want    WeightType
		counts  []int  // milliseconds
		reason  string // a part of it
	}{
		{"clearly faster", times([]int{1000, 1010, 990}, []int{400, 410, 405}, []int{500, 500, 500}), WeightsBF16, []int{1000, 405, 500}, "0.41"},
		{"just enough", times([]int{1000, 1000, 1000}, []int{900, 900, 900}), WeightsBF16, []int{1000, 900}, "0.90"},
		{"not by the margin", times([]int{1000, 1000, 1000}, []int{910, 910, 910}), WeightsAsShipped, []int{1000, 910}, "more than 0.9"},
		{"slower", times([]int{500, 500, 500}, []int{900, 900, 900}), WeightsAsShipped, []int{500, 900}, "no other form"},
		{"a tie", times([]int{500, 500, 500}, []int{500, 500, 500}), WeightsAsShipped, []int{500, 500}, "no other form"},
		{"the last", times([]int{1000, 1000, 1000}, []int{800, 800, 800}, []int{700, 700, 700}, []int{600, 600, 600}), WeightsQ8_0, []int{1000, 800, 700, 600}, "0.60"},
		// Something else ran in the first round: by the median the second would win, and
		// for that alone.
		{"noise in one", times([]int{700, 1500, 1500}, []int{690, 690, 690}), WeightsAsShipped, []int{700, 690}, "more than 0.9"},
		{"noise in all", times([]int{1000, 3000, 3000}, []int{2000, 500, 520}), WeightsBF16, []int{1000, 500}, "0.50"},
		{"no time at all", times([]int{0, 0, 0}, []int{0, 0, 0}), WeightsAsShipped, []int{0, 0}, "no other form"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judge(trialKey{Threads: 3}, tt.timings)
			if v.Winner != tt.want || !strings.Contains(v.Reason, tt.reason) || v.For.Threads != 3 {
				t.Errorf("the winner is %s (%s), want %s (%s)", v.Winner, v.Reason, tt.want, tt.reason)
			}
			for i, got := range v.timings() {
				want := tt.timings[i]
				if got.Time != time.Duration(tt.counts[i])*time.Millisecond || got.Type != want.Type || got.Bytes != want.Bytes || !slices.Equal(got.Repeats, want.Repeats) {
					t.Errorf("what counts is %+v, want %d ms of %+v", got, tt.counts[i], want)
				}
			}
		})
	}
}

// Whatever a trial depends on makes another verdict.
func TestTrialKey(t *testing.T) {
	t.Parallel()
	key := trialKey{Trial: 1, File: "f", Threads: 2, CPU: "c", Llama: "l"}
	names := map[string]bool{key.name(): true}
	for _, change := range []func(*trialKey){
		func(k *trialKey) { k.Trial++ },
		func(k *trialKey) { k.File = "g" },
		func(k *trialKey) { k.Threads++ },
		func(k *trialKey) { k.CPU = "d" },
		func(k *trialKey) { k.Llama = "m" },
		func(k *trialKey) { k.CPU, k.Llama = "", "cl" },
	} {
		other := key
		change(&other)
		if names[other.name()] {
			t.Errorf("%+v has the name of another key", other)
		}
		names[other.name()] = true
	}
	if !strings.HasPrefix(key.name(), "verdict-") || filepath.Ext(key.name()) != ".json" {
		t.Errorf("the name is %s", key.name())
	}
}

func TestReadVerdict(t *testing.T) {
	t.Parallel()
	store := weightStore{dir: t.TempDir(), hash: "f"}
	key := trialKey{Trial: 1, File: "f", Threads: 2, CPU: "c", Llama: "l"}
	if _, ok := store.readVerdict(key); ok {
		t.Error("there is a verdict before any was written")
	}
	want := judge(key, times([]int{1000, 1010, 990}, []int{400, 410, 405}))
	if err := store.writeVerdict(want); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(store.dir, key.name())
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := store.readVerdict(key); !ok || v.Winner != WeightsBF16 || len(v.Times) != 2 {
		t.Errorf("read back: %+v, %v", v, ok)
	}
	for name, bad := range map[string]string{
		"empty":          "",
		"cut":            string(data[:len(data)/2]),
		"unknown winner": strings.Replace(string(data), `"winner": "bf16"`, `"winner": "q2_k"`, 1),
		"auto":           strings.Replace(string(data), `"winner": "bf16"`, `"winner": "auto"`, 1),
		"another CPU":    strings.Replace(string(data), `"cpu": "c"`, `"cpu": "d"`, 1),
	} {
		if bad == string(data) {
			t.Fatalf("%s: nothing was changed in %s", name, data)
		}
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if v, ok := store.readVerdict(key); ok {
			t.Errorf("%s: it counts as %+v", name, v)
		}
	}
}

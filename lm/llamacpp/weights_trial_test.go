package llamacpp

import (
	"errors"
	"testing"
	"testing/fstest"
	"time"
)

// A round computes its prompt once, and all ends from there; it begins anew each time.
// The fake engine checks the sequences, positions and cells.
func TestEngineSample(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		params      uint64
		prompt, end int
	}{{135e6, trialPrompt, trialEnd}, {600e6, trialPrompt / 2, trialEnd / 2}, {1500e6, leastPrompt, trialEnd * leastPrompt / trialPrompt}} {
		f := newFake(t, trialContext)
		f.facts.limits.batch = stepTokens
		f.facts.limits.outputs = trialEnds * trialScored
		s, err := newEngineSample(f, tt.params)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.round(); err != nil {
				t.Fatal(err)
			}
			if len(f.seqs[0]) != tt.prompt+tt.end || f.mostIn != trialEnds {
				t.Errorf("%d parameters: %d tokens in a sequence, want %d and %d; %d sequences in a step", tt.params, len(f.seqs[0]), tt.prompt, tt.end, f.mostIn)
			}
			if used := len(f.refs); used != tt.prompt+trialEnds*tt.end {
				t.Errorf("%d cells are used, want %d", used, tt.prompt+trialEnds*tt.end)
			}
			if len(s.b.outIndex) != trialEnds*trialScored || tt.end < trialScored {
				t.Errorf("%d tokens are scored", len(s.b.outIndex))
			}
		}
	}
	broken := newFake(t, trialContext)
	broken.facts.limits.batch, broken.broken = stepTokens, 2
	s, err := newEngineSample(broken, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.round(); !errors.Is(err, errBroken) {
		t.Errorf("a step that fails: %v", err)
	}
}

// The forms take turns.
func TestCompete(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var all []contestant
	for i, form := range []WeightType{WeightsAsShipped, WeightsBF16} {
		all = append(all, contestant{WeightTiming: WeightTiming{Type: form, Bytes: int64(i)}, sample: fakeSample{w, form}})
	}
	readings := 0
	got, err := compete(all, func() time.Time {
		readings++
		if (readings-1)/2 >= 2 { // other work begins in the second round
			w.times[WeightsAsShipped], w.times[WeightsBF16] = 3*time.Second, 2*time.Second
		}
		return w.clock
	})
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	for i, want := range [][]time.Duration{{time.Second, 3 * time.Second, 3 * time.Second}, {400 * time.Millisecond, 2 * time.Second, 2 * time.Second}} {
		for j, d := range want {
			if got[i].Repeats[j] != d {
				t.Errorf("%s: %v, want %v", got[i].Type, got[i].Repeats, want)
			}
		}
	}
}

func TestFreeMemory(t *testing.T) {
	t.Parallel()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	const info = "MemTotal:       24684000 kB\nMemFree:        1000 kB\nMemAvailable:   2048 kB\n"
	for _, tt := range []struct {
		name string
		root fstest.MapFS
		want int64
		ok   bool
	}{
		{"another system", fstest.MapFS{}, 0, false},
		{"no limit", fstest.MapFS{"proc/meminfo": file(info)}, 2 << 20, true},
		{"max", fstest.MapFS{"proc/meminfo": file(info), "sys/fs/cgroup/memory.max": file("max\n"), "sys/fs/cgroup/memory.current": file("5\n")}, 2 << 20, true},
		{"a container", fstest.MapFS{
			"proc/meminfo": file(info), "proc/self/cgroup": file("0::/docker/abc\n"),
			"sys/fs/cgroup/memory.max": file("1048576\n"), "sys/fs/cgroup/memory.current": file("900000\n"),
			"sys/fs/cgroup/memory.stat": file("anon 1\ninactive_file 400000\nactive_file 7\n"),
		}, 1048576 - 500000, true},
		{"a group on the host", fstest.MapFS{
			"proc/meminfo": file(info), "proc/self/cgroup": file("0::/user.slice/a\n"),
			"sys/fs/cgroup/user.slice/a/memory.max": file("1000\n"), "sys/fs/cgroup/user.slice/a/memory.current": file("600\n"),
		}, 400, true},
		{"over the limit", fstest.MapFS{
			"proc/meminfo": file(info), "sys/fs/cgroup/memory.max": file("1000\n"), "sys/fs/cgroup/memory.current": file("1600\n"),
		}, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, ok := freeMemory(tt.root); got != tt.want || ok != tt.ok {
				t.Errorf("%d, %v, want %d, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestCPUModel(t *testing.T) {
	t.Parallel()
	cpu := func(model, mhz string) string {
		one := "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: " + model + "\nmodel name\t: AMD EPYC\ncpu MHz\t\t: " + mhz + "\n\n"
		return cpuModel(fstest.MapFS{"proc/cpuinfo": &fstest.MapFile{Data: []byte("processor\t: 0\n" + one + "processor\t: 1\n" + one)}})
	}
	if cpu("17", "2600") != cpu("17", "3100") {
		t.Error("a clock makes another CPU")
	}
	if cpu("17", "2600") == cpu("1", "2600") {
		t.Error("two models of CPU are taken for one")
	}
	if cpuModel(fstest.MapFS{}) == "" {
		t.Error("an unknown CPU has no name")
	}
}

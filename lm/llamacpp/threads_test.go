package llamacpp

import (
	"fmt"
	"runtime"
	"testing"
	"testing/fstest"
)

// machine shows 8 CPUs as Linux does, two on each core, as 0 and 4, 1 and 5, ...
func machine(allowed string) fstest.MapFS {
	root := fstest.MapFS{}
	for cpu := range 8 {
		root[fmt.Sprintf("sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu)] = &fstest.MapFile{
			Data: fmt.Appendf(nil, "%d,%d\n", cpu%4, cpu%4+4),
		}
	}
	if allowed != "" {
		root["proc/self/status"] = &fstest.MapFile{Data: []byte("Name:\twhet\nCpus_allowed:\tff\nCpus_allowed_list:\t" + allowed + "\nMems_allowed:\t1\n")}
	}
	return root
}

func TestPhysicalCores(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		allowed string
		want    int
	}{
		{"", 4},
		{"0-7", 4},
		{"0-3", 4},
		{"0,4", 1}, // two CPUs of one core
		{"1", 1},
		{"0-1,5,7", 3},
		{"0-63", 4},
		{"strange", 4}, // unknown
	} {
		if got := physicalCores(machine(test.allowed)); got != test.want {
			t.Errorf("with the CPUs %q there are %d cores, want %d", test.allowed, got, test.want)
		}
	}
	if got := physicalCores(fstest.MapFS{}); got != 0 {
		t.Errorf("%d cores where the system shows none", got)
	}
}

// Not parallel: it changes GOMAXPROCS.
func TestDefaultThreads(t *testing.T) {
	if n := defaultThreads(); n < 1 || n > runtime.NumCPU() {
		t.Errorf("%d threads on %d CPUs", n, runtime.NumCPU())
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if n := defaultThreads(); n != 1 {
		t.Errorf("%d threads with GOMAXPROCS=1", n)
	}
}

package llamacpp

import (
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// defaultThreads is the number of physical cores that Linux lets the process use, and
// of CPUs elsewhere; a quota may allow less.
func defaultThreads() int {
	n := runtime.NumCPU()
	if cores := physicalCores(os.DirFS("/")); cores > 0 {
		n = min(n, cores)
	}
	return min(n, runtime.GOMAXPROCS(0))
}

// physicalCores counts the cores of the CPUs on which the process may run, or returns 0
// where the system does not tell: two threads on one core compete for its vector unit.
func physicalCores(root fs.FS) int {
	siblings, _ := fs.Glob(root, "sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list")
	allowed := allowedCPUs(root)
	cores := map[string]bool{}
	for _, name := range siblings {
		cpu, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(name, "/")[4], "cpu"))
		if allowed != nil && !allowed[cpu] {
			continue
		}
		if list, err := fs.ReadFile(root, name); err == nil {
			cores[string(list)] = true
		}
	}
	return len(cores)
}

// allowedCPUs reads on which CPUs the process may run, for example "0-3,8"; nil means
// that it is not known.
func allowedCPUs(root fs.FS) map[int]bool {
	status, _ := fs.ReadFile(root, "proc/self/status")
	_, rest, found := strings.Cut(string(status), "\nCpus_allowed_list:")
	if !found {
		return nil
	}
	line, _, _ := strings.Cut(rest, "\n")
	cpus := map[int]bool{}
	for _, part := range strings.Split(strings.TrimSpace(line), ",") {
		first, last, ranged := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		to := from
		if ranged && err == nil {
			to, err = strconv.Atoi(last)
		}
		if err != nil {
			return nil
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus[cpu] = true
		}
	}
	return cpus
}

package llamacpp

import (
	"io/fs"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// host is what a trial's result depends on beside the file and the threads.
type host struct {
	cpu   string
	llama string // version, commit and the CPU's features that it uses
	gpu   bool   // whether layers can be on a GPU
}

// cpuModel tells one model of CPU from another, as far as the system says; llama.cpp
// adds the features that it uses.
func cpuModel(root fs.FS) string {
	parts := []string{runtime.GOOS + "/" + runtime.GOARCH}
	info, _ := fs.ReadFile(root, "proc/cpuinfo")
	first, _, _ := strings.Cut(string(info), "\n\n") // one of many alike
	for line := range strings.Lines(first) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "vendor_id", "cpu family", "model", "model name", "stepping", // x86
			"CPU implementer", "CPU variant", "CPU part", "CPU revision": // ARM
			parts = append(parts, strings.TrimSpace(value))
		}
	}
	return strings.Join(parts, " ")
}

// freeMemory is how many bytes the process may still take without swapping: what Linux
// has available, and a container's limit allows. False means that it is not known.
func freeMemory(root fs.FS) (int64, bool) {
	free := int64(-1)
	info, _ := fs.ReadFile(root, "proc/meminfo")
	for line := range strings.Lines(string(info)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemAvailable:" {
			if kib, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				free = kib << 10
			}
		}
	}
	if free < 0 {
		return 0, false
	}
	own := ""
	groups, _ := fs.ReadFile(root, "proc/self/cgroup")
	for line := range strings.Lines(string(groups)) {
		if p, found := strings.CutPrefix(strings.TrimSpace(line), "0::"); found {
			own = p
		}
	}
	// In a container the group's path is that of the host, and its limit at the root.
	for _, group := range []string{own, "/"} {
		if left, limited := groupMemory(root, path.Join("sys/fs/cgroup", group)); limited {
			free = min(free, left)
		}
	}
	return max(free, 0), true
}

// groupMemory is what the limit of a control group leaves, where it has one. Files that
// were read count as used, although they make room when it is needed.
func groupMemory(root fs.FS, dir string) (int64, bool) {
	limit, ok := readNumber(root, path.Join(dir, "memory.max"))
	if !ok {
		return 0, false
	}
	used, ok := readNumber(root, path.Join(dir, "memory.current"))
	if !ok {
		return 0, false
	}
	stat, _ := fs.ReadFile(root, path.Join(dir, "memory.stat"))
	for line := range strings.Lines(string(stat)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "inactive_file" {
			if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				used -= n
			}
		}
	}
	return limit - used, true
}

func readNumber(root fs.FS, name string) (int64, bool) {
	data, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil // "max" is no limit
}

package starlark

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// self is the program that runs: the same also when its file has been replaced.
func self() (string, error) { return "/proc/self/exe", nil }

// detach keeps the signals of a terminal from the child, has it killed when the thread that
// started it ends, and what a wrong Command started killed with it.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return os.ErrProcessDone
	}
}

// outOfTime reports whether the process used up its processor time.
func outOfTime(s *os.ProcessState) bool {
	ws, ok := s.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGXCPU
}

// ownData is what the process may have beyond the memory of the code: stacks of threads,
// the garbage collector's tables, and room to grow.
const ownData = 128 << 20

// boundProcess sets the limits of the system. The data is bounded, and not the address
// space, of which the Go runtime reserves much more than it uses.
func boundProcess(l limits) error {
	data, err := dataSize()
	if err != nil {
		return err
	}
	// Twice for code and garbage; the processor time of two threads.
	seconds := 2*uint64(l.TimeoutMS)/1000 + 10
	for _, r := range []struct {
		which int
		limit uint64
	}{
		{syscall.RLIMIT_DATA, data + shadow*(2*uint64(l.Memory)+ownData)},
		{syscall.RLIMIT_CPU, seconds},
		{syscall.RLIMIT_NOFILE, 0},
		{syscall.RLIMIT_FSIZE, 0},
		{syscall.RLIMIT_CORE, 0},
	} {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(r.which, &now); err != nil {
			return err
		}
		limit := min(r.limit, now.Max)
		if err := syscall.Setrlimit(r.which, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return err
		}
	}
	return nil
}

// dataSize is what the system counts of the process so far, in bytes.
func dataSize() (uint64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if size, ok := strings.CutPrefix(string(line), "VmData:"); ok {
			kb, err := strconv.ParseUint(strings.Fields(size)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmData")
}

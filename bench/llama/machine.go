package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// ticks is how many of its clock ticks Linux counts in a second, for programs.
const ticks = 100

// The parts of a /proc/stat line that are time in which a CPU was not idle: user, nice,
// system, irq, softirq and steal. What guests took is part of user.
func busyFields() []int { return []int{1, 2, 3, 6, 7, 8} }

// cpuClock is how much time the whole machine's CPUs and the process itself have spent.
type cpuClock struct {
	at         time.Time
	busy, mine float64 // seconds
	known      bool
}

// readClock reads /proc; on a system without it, or where it cannot be read, the clock
// is not known.
func readClock() cpuClock {
	c := cpuClock{at: time.Now()}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return c
	}
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return c
	}
	var errBusy, errMine error
	c.busy, errBusy = busySeconds(string(stat))
	c.mine, errMine = processSeconds(string(own))
	c.known = errBusy == nil && errMine == nil
	return c
}

// otherCPU returns how many cores other processes have kept busy since before, on
// average; nil where that is not known.
func (c cpuClock) otherCPU(before cpuClock) *float64 {
	wall := c.at.Sub(before.at).Seconds()
	if !c.known || !before.known || wall <= 0 {
		return nil
	}
	cores := max(0, (c.busy-before.busy-(c.mine-before.mine))/wall)
	return &cores
}

// busySeconds reads the first line of /proc/stat.
func busySeconds(stat string) (float64, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, errors.New("/proc/stat does not begin with the sums of all CPUs")
	}
	sum := 0.0
	for _, i := range busyFields() {
		n, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		sum += n / ticks
	}
	return sum, nil
}

// processSeconds reads the user and system time in /proc/PID/stat, its 14th and 15th
// field. The second, the name in parentheses, may hold spaces and parentheses.
func processSeconds(stat string) (float64, error) {
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, errors.New("/proc/PID/stat: there is no name in parentheses")
	}
	fields := strings.Fields(stat[end+1:])
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is too short")
	}
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, fmt.Errorf("/proc/PID/stat: %w", err)
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	if err != nil {
		return 0, fmt.Errorf("/proc/PID/stat: %w", err)
	}
	return (user + system) / ticks, nil
}

// peakMemory returns the most memory that the process has had resident, in MB of 1e6
// bytes; 0 where that is not known. The pages of the model file count, as they are
// mapped.
func peakMemory(pid string) float64 {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		value, found := strings.CutPrefix(line, "VmHWM:")
		if !found {
			continue
		}
		kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
		if err != nil {
			return 0
		}
		return kib * 1024 / 1e6
	}
	return 0
}

// machineName names the CPU, as far as the system tells.
func machineName() string {
	name := runtime.GOOS + "/" + runtime.GOARCH
	info, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(info)) {
			if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d CPUs", name, runtime.NumCPU())
}

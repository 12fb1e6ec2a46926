package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// peer is DSPy and llama-server.
type peer struct {
	python, script, server, data string
	template                     string
	threads, cells, limit        int
	scratch                      string // what DSPy keeps on disk, though its cache is off
}

// missing says what is not there to run the peer, or "".
func (p peer) missing() string {
	var names []string
	if p.python == "" {
		names = append(names, "DSPy (make dspy)")
	}
	if p.server == "" {
		names = append(names, "llama-server (make server)")
	}
	return strings.Join(names, " and ")
}

// measure starts a server, runs DSPy's program against it and stops it.
func (p peer) measure(ctx context.Context, model string, reasons bool) (*measured, error) {
	s, err := startServer(ctx, p.server, model, p.template, p.threads, p.cells)
	if err != nil {
		return nil, err
	}
	m, err := p.evaluate(ctx, s, reasons)
	if err == nil {
		err = s.alive() // or the rows that failed look as if they were fast
	}
	if m != nil {
		m.PeakMB = peakMemory(s.pid())
	}
	return m, errors.Join(err, s.stop())
}

func (p peer) evaluate(ctx context.Context, s *server, reasons bool) (*measured, error) {
	args := []string{
		p.script, "--base-url", s.url, "--server-pid", s.pid(),
		"--train", filepath.Join(p.data, "first100.csv"), "--rows", filepath.Join(p.data, "last100.csv"),
		"--limit", strconv.Itoa(p.limit), "--demos", strconv.Itoa(demoCount), "--max-tokens", strconv.Itoa(maxTokens),
		"--threads", strconv.Itoa(peerSlots),
	}
	if reasons {
		args = append(args, "--cot")
	}
	cmd := exec.CommandContext(ctx, p.python, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = append(os.Environ(), "DSPY_CACHEDIR="+p.scratch, "PYTHONDONTWRITEBYTECODE=1")
	var out bytes.Buffer
	said := &tail{}
	cmd.Stdout, cmd.Stderr = &out, said
	if err := cmd.Run(); err != nil {
		// The last line alone, since a traceback may show a row.
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return nil, errors.Join(ctx.Err(), fmt.Errorf("the peer's program: %w: %s", err, lines[len(lines)-1]))
	}
	m := &measured{}
	if err := json.Unmarshal(out.Bytes(), m); err != nil {
		return nil, fmt.Errorf("the peer's program printed no result: %w", err)
	}
	return m, nil
}

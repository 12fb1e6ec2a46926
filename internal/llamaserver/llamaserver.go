// Package llamaserver starts a real llama-server for tests.
package llamaserver

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Start starts a llama-server on the model SmolLM2, with a context of 4,096 tokens, two threads and
// these further arguments, and returns its address. It ends with the test. Where the environment
// does not say which program and which model (WHET_LLAMA_SERVER, WHET_MODEL_SMOLLM2) the test is
// skipped.
func Start(t testing.TB, args ...string) string {
	t.Helper()
	binary, model := os.Getenv("WHET_LLAMA_SERVER"), os.Getenv("WHET_MODEL_SMOLLM2")
	if binary == "" || model == "" {
		t.Skip("no llama-server: WHET_LLAMA_SERVER and WHET_MODEL_SMOLLM2 are not set; `make server models` and scripts/setup env make them")
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"-m", model, "--host", "127.0.0.1", "--port", port, "-c", "4096", "-t", "2", "--no-webui"}, args...)
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var log strings.Builder // read when the command has ended
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() { // the test's context has ended by now
		<-ended
		if t.Failed() {
			text := log.String()
			t.Logf("the server's last words: %s", text[max(0, len(text)-3000):])
		}
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	health, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/health", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if resp, err := client.Do(health); err == nil {
			if err := resp.Body.Close(); err == nil && resp.StatusCode == http.StatusOK {
				return "http://" + address
			}
		}
		select {
		case <-ended:
			t.Fatal("the server has ended before it answered")
		case <-limit.C:
			t.Fatal("the server does not answer")
		case <-tick.C:
		}
	}
}

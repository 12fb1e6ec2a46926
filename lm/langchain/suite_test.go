package langchain

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/tmc/langchaingo/llms/openai"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
)

// TestSuite runs the conformance suite against a real llama-server. That reads special
// tokens in data as such, which is a loss of this package's: see doc.go.
func TestSuite(t *testing.T) {
	program, file := os.Getenv("WHET_LLAMA_SERVER"), os.Getenv("WHET_MODEL_SMOLLM2")
	if program == "" || file == "" {
		t.Skip("no llama-server: WHET_LLAMA_SERVER and WHET_MODEL_SMOLLM2 are not set; `make server models` and scripts/setup env make them")
	}
	address := llamaServer(t, program, file)
	lmtest.Suite(t, func(t *testing.T) lm.LM {
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		client, err := openai.New(openai.WithToken("none"), openai.WithModel("smollm2"), openai.WithBaseURL("http://"+address+"/v1"), openai.WithHTTPClient(&http.Client{Transport: transport}))
		if err != nil {
			t.Fatal(err)
		}
		return New(client, Name("llama-server:smollm2"), Lossy(), CallOptions(openai.WithLegacyMaxTokensField()))
	}, lmtest.Capabilities{Messages: true, Samples: true, ReadsSpecialTokens: true})
}

// llamaServer starts a server for the test and returns its address once it answers.
func llamaServer(t *testing.T, program, file string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(program, "-m", file, "--host", "127.0.0.1", "--port", port, "-c", "4096", "-np", "4", "-t", "2", "--jinja")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := client.Do(r); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return address
			}
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("llama-server ended: %v", err)
		case <-ctx.Done():
			t.Fatal("llama-server does not answer")
		case <-again.C:
		}
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/whetgo/whet/lm/llamacpp"
)

// childArg makes the program do one job, which it reads from its standard input, and
// write the result to its standard output.
const childArg = "job"

// jobKind is what a child does.
type jobKind string

const (
	// prepareJob makes the forms of the weights and tells where they are.
	prepareJob jobKind = "prepare"
	// calibrateJob fits the biases of a program.
	calibrateJob jobKind = "calibrate"
	// measureJob runs a program over the rows.
	measureJob jobKind = "measure"
	// searchJob runs a whole few-shot search.
	searchJob jobKind = "search"
)

// job is what a child does, in a process of its own so that the peak of its memory is
// that of one configuration.
type job struct {
	Kind     jobKind
	Model    string
	Template string
	Weights  llamacpp.WeightType
	Threads  int
	Data     string
	Limit    int
	Program  string
	Biases   biases
	Cold     bool
}

// measured is what one run of one configuration gave. The peer's program prints the
// same, as far as it knows it.
type measured struct {
	Rows             int      `json:"rows"`
	Wall             float64  `json:"wall_s"`
	Calls            int      `json:"lm_calls"`
	PromptTokens     int      `json:"prompt_tokens"`
	ComputedTokens   int      `json:"computed_tokens"`
	CompletionTokens int      `json:"completion_tokens"`
	HandedTokens     int      `json:"handed_tokens,omitempty"` // to llama_decode, counted in C
	FailedRows       int      `json:"failed_rows"`
	Accuracy         float64  `json:"accuracy"`
	MacroF1          float64  `json:"macro_f1"`
	PeakMB           float64  `json:"peak_rss_mb"`
	OtherCPU         *float64 `json:"other_cpu"` // cores; nil: not known
	// Prompts is the sha256 of all messages, where they are chat messages in DSPy's
	// layout.
	Prompts string `json:"prompts_sha256,omitempty"`
	// DSPy is the peer's version, and ClientMB the peak of its memory; PeakMB is that
	// of its server.
	DSPy     string  `json:"dspy,omitempty"`
	ClientMB float64 `json:"client_rss_mb,omitempty"`
}

// prepared is the result of a prepareJob.
type prepared struct {
	Path    string              `json:"path,omitempty"`
	Type    llamacpp.WeightType `json:"type"`
	Shipped string              `json:"shipped"`
	Why     string              `json:"why"`
}

// fitted is the result of a calibrateJob.
type fitted struct {
	Biases   biases   `json:"biases"`
	Wall     float64  `json:"wall_s"`
	Calls    int      `json:"lm_calls"`
	MacroF1  float64  `json:"macro_f1_on_training_rows"`
	OtherCPU *float64 `json:"other_cpu"`
}

// searched is the result of a searchJob.
type searched struct {
	Candidates     int      `json:"candidates"`
	Rows           int      `json:"rows"`
	Wall           float64  `json:"wall_s"`
	Requested      int      `json:"calls_requested"`
	Paid           int      `json:"calls_paid"`
	PromptTokens   int      `json:"prompt_tokens"`
	ComputedTokens int      `json:"computed_tokens"`
	Completion     int      `json:"completion_tokens"`
	Score          float64  `json:"score"`
	Baseline       float64  `json:"baseline"`
	PeakMB         float64  `json:"peak_rss_mb"`
	OtherCPU       *float64 `json:"other_cpu"`
}

// doJob does the job in a child process and decodes its result into result.
func doJob(ctx context.Context, j job, result any) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	input, err := json.Marshal(j)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, childArg)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("%s %s: %w", j.Kind, j.Program, err))
	}
	return json.Unmarshal(out.Bytes(), result)
}

// serveJob is the child's side.
func serveJob(ctx context.Context, in io.Reader, out io.Writer) error {
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return err
	}
	var result any
	var err error
	switch j.Kind {
	case prepareJob:
		result, err = j.prepare()
	case calibrateJob:
		result, err = j.calibrate(ctx)
	case measureJob:
		result, err = j.measure(ctx)
	case searchJob:
		result, err = j.search(ctx)
	default:
		err = fmt.Errorf("there is no job %q", j.Kind)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}

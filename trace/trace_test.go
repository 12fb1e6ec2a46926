package trace_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/whetgo/whet/trace"
)

func TestTraceKeepsOrder(t *testing.T) {
	t.Parallel()
	ctx, tr := trace.Start(context.Background())
	if trace.From(ctx) != tr {
		t.Fatal("From does not return the trace that Start opened")
	}
	for i := range 3 {
		trace.From(ctx).Add(trace.Step{Inputs: i})
	}
	steps := tr.Steps()
	for i, s := range steps {
		if s.Inputs != i {
			t.Errorf("step %d holds %v", i, s.Inputs)
		}
	}
	steps[0].Inputs = "changed"
	if tr.Steps()[0].Inputs != 0 {
		t.Error("Steps is no copy")
	}
}

func TestTraceNested(t *testing.T) {
	t.Parallel()
	outerCtx, outer := trace.Start(context.Background())
	innerCtx, inner := trace.Start(outerCtx)
	trace.From(innerCtx).Add(trace.Step{Inputs: "judge"})
	trace.From(outerCtx).Add(trace.Step{Inputs: "program"})
	if s := inner.Steps(); len(s) != 1 || s[0].Inputs != "judge" {
		t.Errorf("inner trace: %v", s)
	}
	if s := outer.Steps(); len(s) != 1 || s[0].Inputs != "program" {
		t.Errorf("outer trace: %v", s)
	}
}

func TestNoTrace(t *testing.T) {
	t.Parallel()
	if trace.From(context.Background()) != nil {
		t.Error("a trace in an empty context")
	}
	ctx, tr := trace.Start(context.Background())
	stopped := trace.From(trace.Stop(ctx))
	if stopped != nil {
		t.Error("a trace after Stop")
	}
	stopped.Add(trace.Step{})
	if stopped.Steps() != nil || len(tr.Steps()) != 0 {
		t.Error("a nil trace kept a step")
	}
}

func TestTraceConcurrently(t *testing.T) {
	t.Parallel()
	ctx, tr := trace.Start(context.Background())
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 50 {
				trace.From(ctx).Add(trace.Step{})
				_ = tr.Steps()
			}
		})
	}
	wg.Wait()
	if n := len(tr.Steps()); n != 1000 {
		t.Errorf("%d steps, want 1000", n)
	}
}

func ExampleStart() {
	ctx, t := trace.Start(context.Background())
	// Every predictor that is called with ctx adds a step; here we add one.
	trace.From(ctx).Add(trace.Step{Predictor: "classify", Outputs: "spam"})
	for _, step := range t.Steps() {
		fmt.Println(step.Predictor, step.Outputs, step.Err)
	}
	// Output: classify spam <nil>
}

package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/optimize"
)

// compareLayouts prints for each layout what a request costs and how well its
// programs do on rows that fitted nothing: the mean over demo sets and divisions.
func compareLayouts(ctx context.Context, model lm.LM, tokens lm.Tokenizer, rows []row, quiet bool) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "layout\ttokens, no demos\ttokens, 8 demos\tmacro F1, no demos\tmacro F1, 8 demos")
	for _, layout := range []adapter.Adapter{adapter.Compact{}, adapter.Compact{Terse: true}, adapter.Compact{Turns: true}, adapter.Chat{}, adapter.JSON{}} {
		programs, err := makePrograms(ctx, model, rows, []adapter.Adapter{layout}, quiet)
		if err != nil {
			return err
		}
		fmt.Fprint(w, layout.Name())
		for _, p := range programs[:2] {
			n, err := p.tokens(ctx, tokens)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "\t%.0f", n)
		}
		for _, some := range [][]*program{programs[:1], programs[1:]} {
			mean, err := validate(ctx, some, optimize.Calibrate{})
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "\t%.3f", mean)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// tokens is the mean length of a request.
func (p *program) tokens(ctx context.Context, t lm.Tokenizer) (float64, error) {
	sum := 0
	requests, err := p.requests(ctx)
	if err != nil {
		return 0, err
	}
	for _, r := range requests {
		n, err := t.CountTokens(ctx, r)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return float64(sum) / float64(len(requests)), nil
}

// requests are what the program sends for its rows.
func (p *program) requests(ctx context.Context) ([]*lm.Request, error) {
	var requests []*lm.Request
	catch := lm.Func(func(_ context.Context, r *lm.Request) (*lm.Response, error) {
		requests = append(requests, r)
		return nil, errCaught
	})
	caught, err := p.with(catch)
	if err != nil {
		return nil, err
	}
	for _, r := range p.rows {
		if _, err := caught.Run(ctx, r.In); err == nil {
			return nil, fmt.Errorf("no request was made for %q", r.In.Text)
		}
	}
	return requests, nil
}

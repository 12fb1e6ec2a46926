package main

import (
	"fmt"
	"strings"
)

// report counts what was compared.
type report struct {
	cases  int
	counts []*tally
	// unknown are the differences that nobody agreed to, agreed those that somebody
	// did, by their place in the list.
	unknown []difference
	agreed  []int
}

// tally is a row of the report.
type tally struct {
	what                    string
	compared, agreed, other int
}

func newReport() *report { return &report{agreed: make([]int, len(agreements))} }

func (r *report) row(what string) *tally {
	for _, t := range r.counts {
		if t.what == what {
			return t
		}
	}
	t := &tally{what: what}
	r.counts = append(r.counts, t)
	return t
}

func (r *report) count(what string) { r.row(what).compared++ }

func (r *report) add(d difference) {
	for i, a := range agreements {
		if a.explains(d) {
			r.agreed[i]++
			r.row(d.where).agreed++
			return
		}
	}
	r.row(d.where).other++
	r.unknown = append(r.unknown, d)
}

// show returns the differences that nobody agreed to, at most some of each kind.
func (r *report) show(most int) string {
	var b strings.Builder
	seen := map[string]int{}
	for _, d := range r.unknown {
		kind := d.kind()
		if seen[kind]++; seen[kind] <= most {
			b.WriteString(d.String() + "\n")
		}
	}
	for _, d := range r.unknown {
		kind := d.kind()
		if seen[kind] > most {
			b.WriteString(fmt.Sprintf("and %d more of %s\n", seen[kind]-most, kind))
			seen[kind] = 0
		}
	}
	return b.String()
}

// String returns the report as a table.
func (r *report) String() string {
	var b strings.Builder
	row := func(compared, equal, agreed, other any, what string) {
		b.WriteString(fmt.Sprintf("%8v %7v %7v %7v  %s\n", compared, equal, agreed, other, what))
	}
	b.WriteString(fmt.Sprintf("%d cases\n\n", r.cases))
	row("compared", "equal", "agreed", "other", "")
	for _, t := range r.counts {
		row(t.compared, t.compared-t.agreed-t.other, t.agreed, t.other, t.what)
	}
	b.WriteString("\nagreed differences:\n\n")
	for i, a := range agreements {
		b.WriteString(fmt.Sprintf("%8d  %s\n", r.agreed[i], a.what))
	}
	return b.String()
}

package optimize

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

// String returns the estimate as a table and the notes below it.
func (e *Estimate) String() string {
	rows := [][]string{{"", "runs", "calls", "tokens in", "tokens out", "cost"}}
	for _, p := range append(e.Phases[:len(e.Phases):len(e.Phases)], e.Total) {
		rows = append(rows, p.cells())
	}
	wide := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			wide[i] = max(wide[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	b.WriteString(e.Optimizer + "\n")
	for _, row := range rows {
		line := fmt.Sprintf("%-*s", wide[0], row[0])
		for i, cell := range row[1:] {
			line += fmt.Sprintf("  %*s", wide[i+1], cell)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	for _, note := range e.Notes {
		b.WriteString("- " + note + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// cells are a phase's row of the table.
func (p PhaseEstimate) cells() []string {
	more := ""
	if p.Name == "total" {
		more = "+" // what is not known comes on top
	}
	tokens := func(low, high int) string {
		switch {
		case p.TokensKnown:
			return between(thousands(low), thousands(high))
		case high > 0:
			return between(thousands(low), thousands(high)) + more
		}
		return "?"
	}
	cost := "?"
	switch {
	case p.CostKnown:
		cost = between(cents(p.Cost.Low), cents(p.Cost.High))
	case p.Cost.High > 0:
		cost = between(cents(p.Cost.Low), cents(p.Cost.High)) + more
	}
	runs := thousands(p.Runs)
	if p.Name == proposingName {
		runs = "-"
	}
	return []string{p.Name, runs, thousands(p.Calls), tokens(p.PromptTokens.Low, p.PromptTokens.High), tokens(p.ReplyTokens, p.ReplyTokens), cost}
}

func between(low, high string) string {
	if low == high {
		return low
	}
	return low + " to " + high
}

// thousands writes a number with its thousands parted: 12,345.
func thousands(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return sign + strings.Join(append([]string{s}, parts...), ",")
}

// cents writes an amount to a cent, or with two digits that say something where it is less.
func cents(m lm.Money) string {
	const cent = lm.USD / 100
	if m >= cent || m == 0 {
		return fmt.Sprintf("$%.2f", m.Dollars())
	}
	return fmt.Sprintf("$%.2g", m.Dollars())
}

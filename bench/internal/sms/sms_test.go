package sms_test

import (
	"fmt"
	"testing"

	"github.com/whetgo/whet/bench/internal/sms"
)

func row(text, label string) sms.Row {
	return sms.Row{In: sms.Message{Text: text}, Out: sms.Verdict{Label: label}}
}

func TestBalanced(t *testing.T) {
	t.Parallel()
	var rows []sms.Row
	for i := range 60 {
		label := "ham"
		if i%6 == 1 {
			label = "spam"
		} else if i%6 == 2 {
			label = "smishing"
		}
		rows = append(rows, row(fmt.Sprintf("message %d", i), label))
	}
	rows = append(rows, row("  MESSAGE   1", "spam")) // the same again
	count := func(rows []sms.Row) map[string]int {
		n := map[string]int{}
		for _, r := range rows {
			n[r.Out.Label]++
		}
		return n
	}
	if got := count(sms.Balanced(rows, 20, 1)); got["ham"] != 7 || got["spam"] != 7 || got["smishing"] != 6 {
		t.Errorf("20 rows are %v", got)
	}
	all := sms.Balanced(rows, 300, 1)
	if got := count(all); got["ham"] != 40 || got["spam"] != 10 || got["smishing"] != 10 {
		t.Errorf("of 60 rows, 300 balanced ones are %v, want each once", got)
	}
	if got := sms.Without(rows, all); len(got) != 0 {
		t.Errorf("%d rows are none of all", len(got))
	}
	if a, b := sms.Balanced(rows, 20, 1), sms.Balanced(rows, 20, 2); fmt.Sprint(a) == fmt.Sprint(b) {
		t.Error("another seed draws the same rows")
	}
	if got := count(sms.DemoSet(rows, 2, 3)); got["ham"] != 2 || got["spam"] != 2 || got["smishing"] != 2 {
		t.Errorf("a demo set of 2 each is %v", got)
	}
}

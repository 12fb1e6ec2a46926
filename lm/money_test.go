package lm_test

import (
	"math"
	"testing"

	"github.com/whetgo/whet/lm"
)

func TestMoney(t *testing.T) {
	t.Parallel()
	for m, want := range map[lm.Money]string{
		0: "$0.00", lm.USD: "$1.00", 12_500: "$0.0000125", 1: "$0.000000001", -lm.USD / 4: "-$0.25",
		1234 * lm.USD: "$1234.00", math.MinInt64: "-$9223372036.854775808",
	} {
		if m.String() != want {
			t.Errorf("%d is %s, want %s", int64(m), m, want)
		}
	}
	if d := (lm.USD / 8).Dollars(); d != 0.125 {
		t.Errorf("%v dollars", d)
	}
}

func TestCostKnown(t *testing.T) {
	t.Parallel()
	priced := lm.Usage{Calls: 2, PricedCalls: 2, Cost: 30}
	both := priced.Add(lm.Usage{Calls: 1})
	if !priced.CostKnown() || both.CostKnown() || both.Cost != 30 || both.PricedCalls != 2 || !(lm.Usage{}).CostKnown() {
		t.Errorf("%+v", both)
	}
}

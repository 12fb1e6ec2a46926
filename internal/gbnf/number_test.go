package gbnf

import (
	"fmt"
	"math/big"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNumbers tries every decimal number of a grid against bounds, and numbers at their
// edges.
func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		`"minimum": 0`, `"maximum": 0`, `"exclusiveMinimum": 0`, `"exclusiveMaximum": 0`, `"minimum": 1, "maximum": 5`, `"minimum": -3, "maximum": 12`,
		`"minimum": -12.5, "maximum": -3.25`, `"exclusiveMinimum": -12.5, "exclusiveMaximum": 0.05`, `"minimum": 0.05, "maximum": 0.07`,
		`"minimum": 9.99`, `"maximum": 10`, `"exclusiveMaximum": 10`, `"exclusiveMinimum": 9.9`, `"minimum": 1.01, "maximum": 1.01`,
		`"multipleOf": 3`, `"multipleOf": 7, "minimum": -20, "maximum": 100`, `"multipleOf": 0.25`, `"multipleOf": 0.3, "minimum": 1`,
		`"multipleOf": 2.5, "exclusiveMaximum": 10`, `"multipleOf": 100`, `"multipleOf": 60, "minimum": 60`, `"minimum": 99, "maximum": 101`, `"minimum": -100, "maximum": -99.5`,
		`"minimum": 100`, `"maximum": -100`, `"minimum": -0.001, "maximum": 0.001`, `"multipleOf": 0.01, "minimum": 0, "maximum": 1`,
	} {
		for _, typ := range []string{"number", "integer"} {
			t.Run(typ+" "+s, func(t *testing.T) {
				t.Parallel()
				text := fmt.Sprintf(`{"type": %q, %s}`, typ, s)
				g, err := FromSchema([]byte(text))
				if err != nil {
					var not *UnsupportedError
					require.ErrorAs(t, err, &not)
					require.Empty(t, not.Keyword)
				}
				valid := validator(t, []byte(text))
				for i := -13000; i <= 13000; i++ {
					if i%100 != 0 && (i < -1500 || i > 1500) {
						continue
					}
					n := number(new(big.Rat).SetFrac64(int64(i), 100).FloatString(2)).plain()
					if got := err == nil && g.accepts(t, n); got != (valid(n) == nil) {
						t.Fatalf("%s: accepted %s = %v", text, n, got)
					}
				}
			})
		}
	}
}

func TestNumberEdges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		schema string
		yes    []string
		no     []string
	}{
		{
			`{"type": "integer", "minimum": -9007199254740993, "maximum": 123456789012345678}`,
			[]string{"-9007199254740993", "123456789012345678", "0", "-1"},
			[]string{"-9007199254740994", "123456789012345679", "-0", "1.0"},
		},
		{`{"type": "integer", "maximum": 1e30}`, []string{"999999999999999999"}, []string{"1000000000000000000"}},
		{`{"type": "number", "exclusiveMaximum": 1}`, []string{"0.99999999999999", "0", "-12.5", "0.5"}, []string{"1", "0.9999999999999999", "1.0"}},
		{`{"type": "number", "maximum": 1}`, []string{"1", "1.0", "1.00", "0.99999999999999999"}, []string{"1.01", "1.00000000000000001"}},
		{`{"type": "number", "exclusiveMinimum": 0}`, []string{"0.00000000000000001", "0.30000000000000004", "7"}, []string{"0", "0.0", "-1", "0.00"}},
		{`{"type": "number", "minimum": 0}`, []string{"0", "0.0", "0.00", "0.5"}, []string{"-0", "-0.0", "-0.5"}},
		{`{"type": "number", "minimum": 0, "maximum": 0}`, []string{"0", "0.0"}, []string{"0.01", "-0"}},
		{`{"type": "number"}`, []string{"-0", "-0.0", "12.50", "0.30000000000000004"}, []string{"1e5", "00", "1."}},
		{`{"type": "integer", "multipleOf": 97}`, []string{"0", "97", "-970", "9409"}, []string{"98", "96"}},
		{`{"type": "integer", "multipleOf": 1000}`, []string{"0", "1000", "123456789012345000"}, []string{"100", "1001", "1234"}},
		{`{"type": "number", "multipleOf": 0.01}`, []string{"1.23", "1.2", "1.20", "0.0", "0.00", "-0.05", "100000000000000000.01"}, []string{"1.234", "0.001", "0.000"}},
		{`{"allOf": [{"multipleOf": 4}, {"multipleOf": 6}], "type": "integer"}`, []string{"12", "-24", "0"}, []string{"4", "6", "8"}},
		{`{"const": 1.50}`, []string{"1.5", "1.50"}, []string{"1.500", "15e-1"}},
		{`{"enum": [1e2, 5E-3]}`, []string{"100", "0.005"}, []string{"1e2", "5E-3"}},
	} {
		g := schema(t, tt.schema)
		for _, n := range tt.yes {
			assert.True(t, g.accepts(t, n), "%s: %s", tt.schema, n)
		}
		for _, n := range tt.no {
			assert.False(t, g.accepts(t, n), "%s: %s", tt.schema, n)
		}
	}
}

// TestOpenBoundsAsFloats checks that what is beyond an open bound stays so as a float64.
func TestOpenBoundsAsFloats(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		bound string
		value float64
	}{{"1", 1}, {"0.1", 0.1}, {"123456.789", 123456.789}, {"1000000000000", 1e12}} {
		g := schema(t, `{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": `+tt.bound+`}`)
		s, text := g.Start(), ""
		for { // the greatest number digit by digit
			next := ""
			for _, c := range []string{"9", "8", "7", "6", "5", "4", "3", "2", "1", "0", "."} {
				if _, ok := s.Advance(c); ok {
					next = c
					break
				}
			}
			if next == "" || s.Complete() && text != "" && next == "." && len(text) > 14 {
				break
			}
			s, text = mustAdvance(t, s, next), text+next
		}
		f, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		assert.Less(t, f, tt.value, text)
	}
}

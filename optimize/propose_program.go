package optimize

import (
	"fmt"
	"strings"

	"github.com/whetgo/whet/signature"
)

// outline describes the program to the prompt model. DSPy shows the source code of the
// program's Python class, which a compiled program does not have; here it is every predictor
// with its name, its fields and its instructions, in the program's order.
func (s *session) outline() string {
	var b strings.Builder
	calls := "calls"
	if len(s.named) == 1 {
		calls = "call"
	}
	fmt.Fprintf(&b, "A program with %d %s of a language model.\n", len(s.named), calls)
	for i, n := range s.named {
		sig := n.Predictor.Signature()
		fmt.Fprintf(&b, "\n%d. %s: %s\n", i+1, n.Name, sig)
		s.outlineFields(&b, i, "reads", sig.Inputs())
		s.outlineFields(&b, i, "writes", sig.Outputs())
		fmt.Fprintf(&b, "   is told: %s\n", strings.ReplaceAll(s.instructionsOf(i, s.own[i]), "\n", "\n   "))
	}
	return b.String()
}

// outlineFields writes fields, a line each.
func (s *session) outlineFields(b *strings.Builder, predictor int, does string, fields []signature.Field) {
	for _, f := range fields {
		desc := f.Desc
		if d, ok := s.own[predictor].Descriptions[f.Name]; ok {
			desc = d
		}
		if desc != "" {
			desc = ": " + desc
		}
		fmt.Fprintf(b, "   %s %s (%s)%s\n", does, f.Name, f.Type, desc)
	}
}

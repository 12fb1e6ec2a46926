package adapter

import (
	"slices"

	"github.com/whetgo/whet/signature"
)

// demo is a demo that can be shown.
type demo struct {
	fields   signature.Record
	complete bool
}

// orderDemos keeps the demos that have an input and an output, and puts those
// that lack some field before the others, as DSPy does.
func orderDemos(sig *signature.Signature, demos []signature.Record) []demo {
	var incomplete, complete []demo
	for _, d := range demos {
		has := func(fields []signature.Field) bool {
			return slices.ContainsFunc(fields, func(f signature.Field) bool { _, ok := d.Get(f.Name); return ok })
		}
		full := !slices.ContainsFunc(sig.Fields(), func(f signature.Field) bool { v, _ := d.Get(f.Name); return v == nil })
		switch {
		case full:
			complete = append(complete, demo{d, true})
		case has(sig.Inputs()) && has(sig.Outputs()):
			incomplete = append(incomplete, demo{d, false})
		}
	}
	return append(incomplete, complete...)
}

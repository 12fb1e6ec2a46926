package llamacpp

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// form is a type to which weights can be rewritten.
type form struct {
	weights  WeightType
	tensor   uint32 // ggml's number of a tensor's type
	fileType int    // llama.cpp's number of a file's
}

// forms are those in which little is lost, see the constants of WeightType.
var forms = []form{
	{WeightsBF16, 30, 32},
	{WeightsF16, 1, 1},
	{WeightsQ8_0, 8, 7},
}

func (f form) bits() float64 { return bitsOf(f.tensor) }

// bitsOf returns how many bits a weight of a tensor type has, or 0 for an unknown type.
func bitsOf(tensor uint32) float64 {
	b, ok := blocks[tensor]
	if !ok {
		return 0
	}
	return float64(b.bytes*8) / float64(b.elements)
}

// tensorNames are llama.cpp's names of the types that models are shipped in.
var tensorNames = map[uint32]string{
	0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0",
	10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K",
	16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS",
	29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}

// shippedWeights is what the header of a model file says of its weights.
type shippedWeights struct{ *ggufInfo }

// readWeights reads and checks the header of a model file.
func readWeights(path string) (shippedWeights, error) {
	info, err := inspectFile(path)
	return shippedWeights{info}, err
}

// name is the types of the matrices, that of most weights first.
func (w shippedWeights) name() string {
	kinds := slices.SortedFunc(maps.Keys(w.matrices), func(a, b uint32) int {
		return cmp.Or(cmp.Compare(w.matrices[b], w.matrices[a]), cmp.Compare(a, b))
	})
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		if name, ok := tensorNames[kind]; ok {
			names[i] = name
		} else {
			names[i] = fmt.Sprintf("type %d", kind)
		}
	}
	return strings.Join(names, ", ")
}

// all reports whether all matrices have this form already.
func (w shippedWeights) all(f form) bool {
	_, ok := w.matrices[f.tensor]
	return ok && len(w.matrices) == 1
}

// candidates are the forms in which no matrix loses: none has fewer bits than in the
// file, nor 16 bits of another kind, and the whole file does not have the form already.
// There are none for a file with an unknown type.
func (w shippedWeights) candidates() []form {
	var out []form
next:
	for _, f := range forms {
		for kind := range w.matrices {
			if b := bitsOf(kind); b == 0 || f.bits() < b || b == 16 && kind != f.tensor {
				continue next
			}
		}
		if len(w.matrices) > 0 && !w.all(f) {
			out = append(out, f)
		}
	}
	return out
}

// sizeAs is how many bytes the file will have in this form, nearly.
func (w shippedWeights) sizeAs(f form) int64 {
	size := float64(w.size)
	for kind, n := range w.matrices {
		size += float64(n) * (f.bits() - bitsOf(kind)) / 8
	}
	return int64(size)
}

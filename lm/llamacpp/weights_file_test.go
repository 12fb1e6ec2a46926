package llamacpp

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// typedGGUF is a model file whose matrices are of these types, with a vector of floats.
// Behind its data there is some that belongs to nothing.
func typedGGUF(kinds ...uint32) []byte {
	tensors := []tensor{{"norm", []uint64{32}}}
	for i := range kinds {
		tensors = append(tensors, tensor{"matrix" + string(rune('a'+i)), []uint64{256, uint64(4 * (len(kinds) - i))}})
	}
	data := writeGGUF(someMetadata(), tensors)
	offset := uint64(32 * 4)
	for i, kind := range kinds {
		name, elements := tensors[i+1].name, tensors[i+1].dims[0]*tensors[i+1].dims[1]
		at := bytes.Index(data, []byte(name)) + len(name) + 4 + 2*8
		binary.LittleEndian.PutUint32(data[at:], kind)
		binary.LittleEndian.PutUint64(data[at+4:], offset)
		if b, ok := blocks[kind]; ok {
			offset += (elements/b.elements*b.bytes + 31) / 32 * 32
		}
	}
	return data
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	const f32, f16, q41, q80, q4k, q6k, bf16, unknown = 0, 1, 3, 8, 12, 14, 30, 99
	all := []WeightType{WeightsBF16, WeightsF16, WeightsQ8_0}
	for _, tt := range []struct {
		name  string
		kinds []uint32
		types string
		want  []WeightType
	}{
		{"4 bits", []uint32{q41}, "Q4_1", all},
		{"a mixture", []uint32{q4k, q6k}, "Q4_K, Q6_K", all},
		{"with 8 bits", []uint32{q80, q4k}, "Q8_0, Q4_K", all},
		{"8 bits", []uint32{q80}, "Q8_0", []WeightType{WeightsBF16, WeightsF16}},
		{"with one of 16 bits", []uint32{q41, f16}, "Q4_1, F16", []WeightType{WeightsF16}},
		{"F16", []uint32{f16}, "F16", nil},
		{"BF16", []uint32{bf16}, "BF16", nil},
		{"F32", []uint32{f32}, "F32", nil},
		{"with one of 32 bits", []uint32{q41, f32}, "Q4_1, F32", nil},
		{"unknown", []uint32{q41, unknown}, "Q4_1, type 99", nil},
		{"no matrix", nil, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := typedGGUF(tt.kinds...)
			info, err := inspectGGUF(bytes.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			w := shippedWeights{info}
			params := uint64(32)
			for i := range tt.kinds {
				params += uint64(256 * 4 * (len(tt.kinds) - i))
			}
			if w.parameters != params || w.name() != tt.types || w.size != int64(len(data)) {
				t.Errorf("%d parameters of type %q, want %d of %q", w.parameters, w.name(), params, tt.types)
			}
			var got []WeightType
			for _, f := range w.candidates() {
				got = append(got, f.weights)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("the candidates are %v, want %v", got, tt.want)
			}
		})
	}
}

func TestSizeAs(t *testing.T) {
	t.Parallel()
	w := shippedWeights{&ggufInfo{size: 1000 + 320/32*20 + 320/32*34, matrices: map[uint32]uint64{3: 320, 8: 320}}}
	for want, f := range map[int64]form{1000 + 2*640: forms[0], 1000 + 640/32*34: forms[2]} {
		if got := w.sizeAs(f); got != want {
			t.Errorf("as %s it has %d bytes, want %d", f.weights, got, want)
		}
	}
}

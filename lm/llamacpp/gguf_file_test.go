package llamacpp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// metadata is an entry of a GGUF header: its value is a text, a number or a list.
type metadata struct {
	key   string
	value any
}

// tensor is a tensor of 32-bit floats, all of them 0.
type tensor struct {
	name string
	dims []uint64
}

// ggufKind returns the number of a value's type.
func ggufKind(value any) uint32 {
	switch value.(type) {
	case bool:
		return 7
	case uint16:
		return 2
	case uint32:
		return ggufUint32
	case int32:
		return ggufInt32
	case float32:
		return ggufFloat32
	case string:
		return ggufString
	}
	panic(fmt.Sprintf("no type for a %T", value))
}

// writeGGUF returns a model file. What a header must say and these entries do not is that
// of someMetadata.
func writeGGUF(pairs []metadata, tensors []tensor) []byte {
	pairs = slices.Clone(pairs)
	for _, m := range someMetadata() {
		if !slices.ContainsFunc(pairs, func(p metadata) bool { return p.key == m.key }) {
			pairs = append(pairs, m)
		}
	}
	return rawGGUF(pairs, tensors)
}

// rawGGUF returns a file with these entries and tensors.
func rawGGUF(pairs []metadata, tensors []tensor) []byte {
	var b bytes.Buffer
	w := func(vs ...any) {
		for _, v := range vs {
			if s, ok := v.(string); ok {
				_ = binary.Write(&b, binary.LittleEndian, uint64(len(s)))
				b.WriteString(s)
				continue
			}
			_ = binary.Write(&b, binary.LittleEndian, v)
		}
	}
	list := func(n int, kind uint32) { w(uint32(ggufArray), kind, uint64(n)) }
	b.WriteString("GGUF")
	w(uint32(3), uint64(len(tensors)), uint64(len(pairs)))
	for _, p := range pairs {
		w(p.key)
		switch v := p.value.(type) {
		case []string:
			list(len(v), ggufString)
			for _, s := range v {
				w(s)
			}
		case []int32:
			list(len(v), ggufInt32)
			w(v)
		case []float32:
			list(len(v), ggufFloat32)
			w(v)
		default:
			w(ggufKind(v), v)
		}
	}
	size := func(t tensor) uint64 {
		n := uint64(4)
		for _, d := range t.dims {
			n *= d
		}
		return (n + 31) / 32 * 32
	}
	end := uint64(0)
	for _, t := range tensors {
		w(t.name, uint32(len(t.dims)), t.dims, uint32(0), end)
		end += size(t)
	}
	b.Write(make([]byte, (32-b.Len()%32)%32)) // the data begins at a multiple of 32
	b.Write(make([]byte, end))
	return b.Bytes()
}

// someMetadata are those of a small model that is whole.
func someMetadata() []metadata {
	return append([]metadata{
		{"general.architecture", "llama"},
		{"general.name", "small"},
		{"general.file_type", uint32(0)},
		{"llama.block_count", uint32(2)},
		{"llama.context_length", uint32(64)},
		{"llama.embedding_length", uint32(16)},
		{"llama.attention.head_count", uint32(4)},
		{"llama.attention.head_count_kv", uint32(2)},
		{"llama.attention.layer_norm_rms_epsilon", float32(1e-5)},
		{"llama.rope.dimension_count", uint32(4)},
	}, someVocabulary()...)
}

// someVocabulary is a tokenizer of eight tokens.
func someVocabulary() []metadata {
	return []metadata{
		{"tokenizer.ggml.model", "gpt2"},
		{"tokenizer.ggml.pre", "default"},
		{"tokenizer.ggml.tokens", []string{"a", "b", "c", "d", "e", "f", "ab", "<end>"}},
		{"tokenizer.ggml.scores", []float32{0, 0, 0, 0, 0, 0, 0, 0}},
		{"tokenizer.ggml.token_type", []int32{1, 1, 1, 1, 1, 1, 1, 3}},
		{"tokenizer.ggml.merges", []string{"a b"}},
		{"tokenizer.ggml.bos_token_id", uint32(7)},
		{"tokenizer.ggml.eos_token_id", uint32(7)},
	}
}

// someTensors are two, which is enough for the header.
func someTensors() []tensor {
	return []tensor{{"token_embd.weight", []uint64{16, 8}}, {"output_norm.weight", []uint64{16}}}
}

// ggufFile is a small file whose header is whole, though no model's.
func ggufFile() []byte { return rawGGUF(someMetadata(), someTensors()) }

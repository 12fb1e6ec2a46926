package llamacpp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
)

func TestCheckGGUF(t *testing.T) {
	t.Parallel()
	whole := ggufFile()
	if err := checkGGUF(bytes.NewReader(whole), int64(len(whole))); err != nil {
		t.Fatalf("a whole file: %v", err)
	}
	for n := range len(whole) {
		if err := checkGGUF(bytes.NewReader(whole[:n]), int64(n)); !errors.Is(err, errTruncated) {
			t.Errorf("the file cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
}

func TestInspectGGUF(t *testing.T) {
	t.Parallel()
	whole := ggufFile()
	got, err := inspectGGUF(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	want := &ggufInfo{
		architecture: "llama", name: "small", tokenizer: "gpt2", size: int64(len(whole)), tokens: 8, layers: 2, context: 64, width: 16,
		parameters: 16*8 + 16, matrices: map[uint32]uint64{0: 16 * 8},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(ggufInfo{})); d != "" {
		t.Error(d)
	}
}

// with returns metadata with one value more, or another, or, where it is nil, without it.
func with(pairs []metadata, key string, value any) []metadata {
	out := slices.DeleteFunc(slices.Clone(pairs), func(m metadata) bool { return m.key == key })
	if value != nil {
		out = append(out, metadata{key, value})
	}
	return out
}

// What does not fit together is named.
func TestCheckMetadata(t *testing.T) {
	t.Parallel()
	const arch, tok = "llama.", "tokenizer.ggml."
	for _, c := range []struct {
		key   string
		value any
		want  string // what the error says of it
	}{
		{"general.architecture", nil, "not a language model"},
		{"general.architecture", uint32(1), "must be text"},
		{"general.architecture", "", "empty"},
		{"general.architecture", "clip", "images"},
		{"general.architecture", "mamba", `no "mamba.block_count"`},
		{"general.alignment", uint32(0), "power of two"},
		{"general.alignment", uint32(48), "power of two"},
		{"general.alignment", "32", "must be u32"},
		{"general.alignment", uint32(1 << 21), "power of two"},
		{"split.count", uint16(3), "part 1 of 3"},
		{"", uint32(1), "key is empty"},
		{arch + "block_count", nil, "needs"},
		{arch + "block_count", uint32(0), "1 to 512"},
		{arch + "block_count", uint32(513), "1 to 512"},
		{arch + "block_count", int32(2), "must be u32"},
		{arch + "context_length", uint32(0), "1 to"},
		{arch + "context_length", uint32(math.MaxInt32 + 1), "1 to"},
		{arch + "embedding_length", uint32(0), "1 to"},
		{arch + "nextn_predict_layers", uint32(3), "2 layers"},
		{arch + "attention.head_count", uint32(17), "embedding's length"},
		{arch + "attention.head_count", []int32{4}, "2 layers"},
		{arch + "attention.head_count", "4", "array"},
		{arch + "attention.head_count_kv", uint32(3), "does not divide"},
		{arch + "attention.head_count_kv", []int32{2, 3}, `head_count_kv" is 3, which does not divide`},
		{arch + "attention.key_length", uint32(0), "keys of length 0"},
		{arch + "attention.key_length", uint32(8), "must be equal"},
		{arch + "rope.dimension_count", uint32(3), "even"},
		{arch + "rope.dimension_count", uint32(6), "at most 4"},
		{arch + "rope.dimension_count", uint32(2), "must be 4"},
		{arch + "rope.scaling.type", "dynamic", "yarn"},
		{arch + "attention.layer_norm_rms_epsilon", float32(-1), "negative"},
		{arch + "attention.layer_norm_rms_epsilon", float32(math.NaN()), "negative"},
		{arch + "attention.layer_norm_epsilon", uint32(1), "must be f32"},
		{arch + "expert_count", uint32(8), `"llama.expert_used_count" is 0`},
		{arch + "expert_count", uint32(2000), "1024"},
		{arch + "expert_used_count", uint32(2), "0 experts"},
		{arch + "expert_group_count", uint32(2), "0 experts"},
		{tok + "model", nil, "tokenizer"},
		{tok + "model", uint32(1), "must be text"},
		{tok + "model", "none", "tokenizer"},
		{tok + "model", "llama", "stands for the byte"},
		{tok + "tokens", nil, "has no"},
		{tok + "tokens", []int32{1}, "must be an array of text"},
		{tok + "tokens", []string{}, "is empty"},
		{tok + "tokens", []string{"a", "b", "a"}, `tokens 0 and 2 are both "a"`},
		{tok + "tokens", []string{"[EMPTY_1]", ""}, "tokens 0 and 1"},
		{tok + "scores", []float32{0}, "8 tokens"},
		{tok + "scores", []string{"0"}, "must be"},
		{tok + "token_type", []int32{0}, "8 tokens"},
		{tok + "token_type", []float32{0}, "must be"},
		{tok + "merges", nil, "needs"},
		{tok + "merges", "a b", "must be an array"},
		{tok + "bos_token_id", uint32(8), "8 tokens"},
		{tok + "eos_token_id", int32(1), "must be u32"},
		{tok + "eot_token_id", uint32(math.MaxUint32), "8 tokens"},
	} {
		file := rawGGUF(with(someMetadata(), c.key, c.value), someTensors())
		err := checkGGUF(bytes.NewReader(file), int64(len(file)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v: %v, want an error that says %q", c.key, c.value, err, c.want)
		}
	}
}

// patched returns a file in which bytes are others, this far behind the first of a name.
func patched(file []byte, name string, behind int, with ...byte) []byte {
	out := bytes.Clone(file)
	copy(out[bytes.Index(out, []byte(name))+len(name)+behind:], with)
	return out
}

func TestCheckTensors(t *testing.T) {
	t.Parallel()
	const kindOf1, kindOf2 = 4 + 8, 4 + 2*8 // behind the name of a tensor of so many dimensions
	whole := ggufFile()
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"twice":                {rawGGUF(someMetadata(), append(someTensors(), someTensors()[0])), `"token_embd.weight" is there twice`},
		"long name":            {rawGGUF(someMetadata(), []tensor{{strings.Repeat("n", 64), []uint64{16}}}), "64 bytes"},
		"no tensors":           {rawGGUF(someMetadata(), nil), "no tensors"},
		"five dimensions":      {rawGGUF(someMetadata(), []tensor{{"t", []uint64{1, 1, 1, 1, 1}}}), "5 dimensions"},
		"no elements":          {rawGGUF(someMetadata(), []tensor{{"t", []uint64{0, 8}}}), "dimension of 0"},
		"too many elements":    {patched(whole, "token_embd.weight", 4, 0, 0, 0, 0, 0, 0, 0, 1), "dimension of"},
		"unread type":          {patched(whole, "token_embd.weight", kindOf2, 4), "no longer reads"},
		"negative type":        {patched(whole, "token_embd.weight", kindOf2, 0, 0, 0, 0x80), "there cannot be"},
		"half a block":         {patched(whole, "token_embd.weight", kindOf2, 2), "multiples of 32"},
		"integers":             {patched(whole, "token_embd.weight", kindOf2, 26), "does not compute"},
		"a short vector":       {patched(whole, "output_norm.weight", kindOf1, 1), "32-bit floats"},
		"another size":         {patched(whole, "token_embd.weight", kindOf2, 1), "where the one before it ends"},
		"unaligned":            {patched(whole, "output_norm.weight", kindOf1+4, 8, 0), "where the one before it ends"},
		"behind the end":       {patched(whole, "output_norm.weight", kindOf1+4, 0, 0, 0, 1), "truncated"},
		"far behind the end":   {patched(whole, "output_norm.weight", kindOf1+4, 0, 0, 0, 0, 0, 0, 0, 0xff), "truncated"},
		"newer type, in place": {patched(whole, "token_embd.weight", kindOf2, 200), ""},
		"newer type, before":   {patched(patched(whole, "token_embd.weight", kindOf2, 200), "token_embd.weight", kindOf2+4, 0xff, 0xff), "truncated"},
	} {
		err := checkGGUF(bytes.NewReader(c.file), int64(len(c.file)))
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error that says %q", name, err, c.want)
		}
	}
	// ggml takes no tensor that begins between multiples of 32 bytes, even if the file does.
	list := []ggufTensor{{name: "a", elements: 4, bytes: 16, known: true}, {name: "b", offset: 16, elements: 4, bytes: 16, known: true}}
	if err := checkLayout(list, 1024, 16, 4096); err == nil || !strings.Contains(err.Error(), `"b" begins at byte 1040`) {
		t.Errorf("an alignment of 16 bytes: %v", err)
	}
}

func TestCheckHead(t *testing.T) {
	t.Parallel()
	whole := ggufFile()
	change := func(at int, v uint64) []byte {
		c := bytes.Clone(whole)
		binary.LittleEndian.PutUint64(c[at:], v)
		return c
	}
	const first = "general.architecture"
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"huge number of tensors":      {change(8, 1<<60), "tensors"},
		"all the tensors of a uint64": {change(8, math.MaxUint64), "tensors"},
		"huge number of keys":         {change(16, 1<<60), "metadata entries"},
		"huge key":                    {change(24, 1<<62), "truncated"},
		"huge text":                   {patched(whole, first, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), "truncated"},
		"huge array":                  {patched(whole, "tokenizer.ggml.scores", 8, 0, 0, 0, 0, 0, 0, 0, 0x40), "truncated"},
		"huge array of text":          {patched(whole, "tokenizer.ggml.tokens", 8, 0, 0, 0, 0, 0, 0, 0, 0x40), "truncated"},
		"array of arrays":             {patched(whole, "tokenizer.ggml.scores", 4, 9), "array of the type 9"},
		"unknown type":                {patched(whole, first, 0, 13), "unknown type 13"},
		"other magic":                 {append([]byte("GGML"), whole[4:]...), "not a GGUF file"},
		"version 1":                   {append([]byte("GGUF\x01\x00\x00\x00"), whole[8:]...), "version 1"},
		"big-endian":                  {append([]byte("GGUF\x00\x00\x00\x03"), whole[8:]...), "version 50331648"},
		"twice":                       {rawGGUF(append(someMetadata(), metadata{"general.name", "a"}), someTensors()), `"general.name" is there twice`},
	} {
		err := checkGGUF(bytes.NewReader(c.file), int64(len(c.file)))
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error that says %q", name, err, c.want)
		}
	}
}

// What is named of a damaged file is where the damage is.
func TestDamageIsNamed(t *testing.T) {
	t.Parallel()
	whole := ggufFile()
	for _, c := range []struct {
		file []byte
		want string
	}{
		{patched(whole, "general.name", 0, 13), `metadata entry 2 of 18, at offset 69: "general.name": a value of the unknown type 13`},
		{patched(whole, "output_norm.weight", 0, 9), `tensor 2 of 2, at offset`},
		{patched(whole, "output_norm.weight", 0, 9), `"output_norm.weight": it has 9 dimensions`},
	} {
		if err := checkGGUF(bytes.NewReader(c.file), int64(len(c.file))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want that it says %q", err, c.want)
		}
	}
	// A length that is damaged makes a key of all that follows, which is not told whole.
	long := patched(rawGGUF(append(someMetadata(), metadata{strings.Repeat("long", 5000), uint32(1)}), someTensors()), strings.Repeat("long", 5000), 0, 99)
	if err := checkGGUF(bytes.NewReader(long), int64(len(long))); err == nil || len(err.Error()) > 300 || !strings.Contains(err.Error(), "longlong") {
		t.Errorf("a long key: %.400v", err)
	}
}

// A file that is cut at any of fifty places, in its header and its data, is refused for
// what it is, before llama.cpp sees it.
func TestTruncated(t *testing.T) {
	t.Parallel()
	whole := ggufFile()
	cutAtFifty(t, whole[:bytes.Index(whole, []byte("output_norm"))+64], int64(len(whole)))
}

// cutAtFifty makes a file of a header, and a hole where its data are, shorter and shorter.
func cutAtFifty(t *testing.T, header []byte, size int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cut.gguf")
	if err := os.WriteFile(path, header, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	if err := checkFile(path); err != nil {
		t.Fatalf("the whole file: %v", err)
	}
	head := int64(len(header))
	var cuts []int64
	for i := range int64(25) {
		cuts = append(cuts, head*i/25, size-1-(size-1-head)*i/25)
	}
	slices.Sort(cuts)
	for _, n := range slices.Backward(cuts) {
		if err := os.Truncate(path, n); err != nil {
			t.Fatal(err)
		}
		err := checkFile(path)
		if available {
			_, err = Open(path)
			if e := (*lm.Error)(nil); !errors.As(err, &e) || e.Kind != lm.ErrModel || e.Model != path {
				t.Errorf("cut to %d of %d bytes: Open returned %v, want kind %q that names the path", n, size, err, lm.ErrModel)
			}
		}
		if !errors.Is(err, errTruncated) { // which llama.cpp does not say
			t.Errorf("cut to %d of %d bytes: %v", n, size, err)
		}
	}
}

func TestOpenRefusesFiles(t *testing.T) {
	t.Parallel()
	if !available {
		_, err := Open("model.gguf")
		if !errors.Is(err, lm.ErrUnavailable) || !strings.Contains(err.Error(), "-tags llamacpp") {
			t.Errorf("Open without llama.cpp returned %v, want kind %q and how to get it", err, lm.ErrUnavailable)
		}
		return
	}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := ggufFile()
	for name, path := range map[string]string{
		"missing":   filepath.Join(dir, "none.gguf"),
		"directory": dir,
		"truncated": write("cut.gguf", whole[:len(whole)-80]),
		"text":      write("text.gguf", []byte("this is a text and no model at all, long enough")),
		"no model":  write("empty.gguf", whole), // whole, but llama.cpp finds no layers in it
	} {
		_, err := Open(path)
		var e *lm.Error
		if !errors.As(err, &e) || e.Kind != lm.ErrModel || e.Model != path {
			t.Errorf("%s: Open returned %v, want kind %q that names the path", name, err, lm.ErrModel)
		}
	}
}

func FuzzCheckGGUF(f *testing.F) {
	f.Add(ggufFile())
	f.Add([]byte("GGUF"))
	f.Add(ggufFile()[:40])
	f.Fuzz(func(t *testing.T, data []byte) {
		// It must end, without a panic and without memory that the file does not hold.
		info, err := inspectGGUF(bytes.NewReader(data), int64(len(data)))
		if (info == nil) == (err == nil) {
			t.Errorf("it returns %v and %v", info, err)
		}
		if err != nil {
			return
		}
		for kind, n := range info.matrices {
			if n > info.parameters {
				t.Errorf("%d parameters, of which %d are of matrices of type %d", info.parameters, n, kind)
			}
		}
	})
}

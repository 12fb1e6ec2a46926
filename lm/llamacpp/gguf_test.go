package llamacpp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// metadata is an entry of a GGUF header: its value is a string, a uint32 or a float32.
type metadata struct {
	key   string
	value any
}

// tensor is a tensor of 32-bit floats, all of them 0.
type tensor struct {
	name string
	dims []uint64
}

// writeGGUF returns a model file.
func writeGGUF(pairs []metadata, tensors []tensor) []byte {
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
	b.WriteString("GGUF")
	w(uint32(3), uint64(len(tensors)), uint64(len(pairs)))
	for _, p := range pairs {
		kind := uint32(8)
		switch p.value.(type) {
		case uint32:
			kind = 4
		case float32:
			kind = 6
		}
		w(p.key, kind, p.value)
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

// ggufFile is a small file that is whole: one key, one tensor of 32 floats.
func ggufFile() []byte {
	return writeGGUF([]metadata{{"general.architecture", "llama"}}, []tensor{{"weight", []uint64{32}}})
}

func TestCheckGGUF(t *testing.T) {
	t.Parallel()
	whole := ggufFile()
	if err := checkGGUF(bytes.NewReader(whole), int64(len(whole))); err != nil {
		t.Fatalf("a whole file: %v", err)
	}
	for n := range len(whole) {
		if err := checkGGUF(bytes.NewReader(whole[:n]), int64(n)); err == nil {
			t.Errorf("the file cut to %d of %d bytes passes", n, len(whole))
		}
	}
	change := func(at int, v uint64) []byte {
		c := bytes.Clone(whole)
		binary.LittleEndian.PutUint64(c[at:], v)
		return c
	}
	for name, c := range map[string][]byte{
		"huge number of tensors": change(8, 1<<60),
		"huge number of keys":    change(16, 1<<60),
		"huge key":               change(24, 1<<62),
		"other magic":            append([]byte("GGML"), whole[4:]...),
		"other version":          append([]byte("GGUF\x09\x00\x00\x00"), whole[8:]...),
	} {
		if err := checkGGUF(bytes.NewReader(c), int64(len(c))); err == nil {
			t.Errorf("%s passes", name)
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
		"truncated": write("cut.gguf", whole[:len(whole)-40]),
		"text":      write("text.gguf", []byte("this is a text and no model at all, long enough")),
		"no model":  write("empty.gguf", whole), // whole, but llama.cpp finds no vocabulary in it
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
	f.Fuzz(func(_ *testing.T, data []byte) {
		// It must end, without a panic and without memory that the file does not hold.
		_ = checkGGUF(bytes.NewReader(data), int64(len(data)))
	})
}

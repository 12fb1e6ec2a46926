package llamacpp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// A GGUF file is checked here before C sees it: llama.cpp trusts its counts and
// offsets more than a file that was half downloaded deserves, and ends the process at
// some of the values that do not fit together. docs/c-boundary.md lists what is found.

const (
	ggufMagic    = "GGUF"
	ggufHead     = 4 + 4 + 8 + 8 // magic, version, number of tensors, number of entries
	defaultAlign = 32
	maxAlign     = 1 << 20
)

// ggufInfo is what the header of a model file says of it.
type ggufInfo struct {
	architecture string
	name         string // general.name
	tokenizer    string // its kind
	fileType     int    // llama.cpp's number of a file's type, -1 where it is not said
	size         int64  // bytes of the file
	tokens       int    // of the vocabulary
	layers       int
	context      int               // tokens that it was trained for
	width        int               // of an embedding
	parameters   uint64            // of all tensors
	matrices     map[uint32]uint64 // parameters of the tensors with several dimensions, by ggml's number of their type
}

// checkFile reports what is wrong with a model file, or nil.
func checkFile(path string) error {
	_, err := inspectFile(path)
	return err
}

// inspectFile reads the header of a model file and checks it.
func inspectFile(path string) (*ggufInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			return nil, p.Err // the path is named by the caller
		}
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return nil, errors.New("it is a directory, not a GGUF file")
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	return inspectGGUF(bufio.NewReaderSize(f, 1<<18), st.Size())
}

// checkGGUF reports what is wrong with a model file of this size.
func checkGGUF(r io.Reader, size int64) error {
	_, err := inspectGGUF(r, size)
	return err
}

func inspectGGUF(r io.Reader, size int64) (*ggufInfo, error) {
	g := &ggufReader{r: r, size: size}
	tensors, entries, err := g.head()
	if err != nil {
		return nil, err
	}
	meta := ggufMeta{values: map[string]ggufValue{}}
	for i := range entries {
		at := g.pos
		if err := meta.read(g); err != nil {
			return nil, fmt.Errorf("metadata entry %d of %d, at offset %d: %w", i+1, entries, at, err)
		}
	}
	align, err := meta.alignment()
	if err != nil {
		return nil, err
	}
	list := make([]ggufTensor, 0, tensors)
	for i := range tensors {
		at := g.pos
		t, err := g.tensor()
		if err != nil {
			return nil, fmt.Errorf("tensor %d of %d, at offset %d: %w", i+1, tensors, at, err)
		}
		list = append(list, t)
	}
	// The data begin at the next multiple of the alignment; nothing of the file before is
	// left to read, so this cannot overflow.
	data := (uint64(g.pos) + align - 1) / align * align
	if err := checkLayout(list, data, align, uint64(size)); err != nil {
		return nil, err
	}
	if err := checkModel(meta); err != nil {
		return nil, err
	}
	if err := checkTokenizer(meta); err != nil {
		return nil, err
	}
	return newInfo(meta, list, size), nil
}

// head reads what stands before the metadata.
func (g *ggufReader) head() (tensors, entries uint64, err error) {
	if g.size < ggufHead {
		return 0, 0, fmt.Errorf("%w: it has %d bytes, and a GGUF header has %d", errTruncated, g.size, ggufHead)
	}
	magic, err := g.bytes(len(ggufMagic))
	if err != nil {
		return 0, 0, err
	}
	if string(magic) != ggufMagic {
		return 0, 0, fmt.Errorf("it is not a GGUF file: it begins with %q", magic)
	}
	version, err := g.u32()
	if err != nil {
		return 0, 0, err
	}
	if version < 2 || version > 3 {
		return 0, 0, fmt.Errorf("it is GGUF version %d (as little-endian number), and versions 2 and 3 are known", version)
	}
	if tensors, err = g.u64(); err != nil {
		return 0, 0, err
	}
	if entries, err = g.u64(); err != nil {
		return 0, 0, err
	}
	if tensors > uint64(g.left())/minTensorSize {
		return 0, 0, fmt.Errorf("%w: it claims %d tensors, more than its %d bytes can hold", errTruncated, tensors, g.size)
	}
	if entries > uint64(g.left())/minEntrySize {
		return 0, 0, fmt.Errorf("%w: it claims %d metadata entries, more than its %d bytes can hold", errTruncated, entries, g.size)
	}
	if tensors == 0 {
		return 0, 0, errors.New("it has no tensors")
	}
	return tensors, entries, nil
}

func newInfo(meta ggufMeta, tensors []ggufTensor, size int64) *ggufInfo {
	number := func(key string) int {
		v, _ := meta.values[key].uint32()
		return int(v)
	}
	architecture := meta.values[keyArchitecture].text
	i := &ggufInfo{
		architecture: architecture,
		name:         meta.values["general.name"].text,
		tokenizer:    meta.values[keyTokenizer].text,
		fileType:     -1,
		size:         size,
		tokens:       int(min(meta.values[keyTokens].count, math.MaxInt32)),
		layers:       number(architecture + ".block_count"),
		context:      number(architecture + ".context_length"),
		width:        number(architecture + ".embedding_length"),
		matrices:     map[uint32]uint64{},
	}
	if v, ok := meta.values["general.file_type"].uint32(); ok {
		i.fileType = int(v)
	}
	for _, t := range tensors {
		i.parameters += t.elements
		if t.matrix() {
			i.matrices[t.kind] += t.elements
		}
	}
	return i
}

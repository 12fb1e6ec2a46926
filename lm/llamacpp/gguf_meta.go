package llamacpp

import (
	"errors"
	"fmt"
	"math"
)

const (
	minEntrySize = 8 + 4 + 1 // key length, type, a byte
	maxKey       = 65535
	keptText     = 256  // longer texts are not kept
	keptNumbers  = 1024 // longer arrays are not kept: those of a number a layer are shorter
)

// Numbers of the types of metadata.
const (
	ggufUint32  = 4
	ggufInt32   = 5
	ggufFloat32 = 6
	ggufString  = 8
	ggufArray   = 9
)

// ggufTypes are the types of metadata by their numbers; a text or an array has no size.
var ggufTypes = map[uint32]struct {
	name string
	size uint64
}{
	0: {"u8", 1}, 1: {"i8", 1}, 2: {"u16", 2}, 3: {"i16", 2}, ggufUint32: {"u32", 4}, ggufInt32: {"i32", 4}, ggufFloat32: {"f32", 4},
	7: {"bool", 1}, ggufString: {"text", 0}, ggufArray: {"array", 0}, 10: {"u64", 8}, 11: {"i64", 8}, 12: {"f64", 8},
}

// ggufValue is a value of metadata.
type ggufValue struct {
	kind    uint32   // 0 is a byte, and that of a value that is not there
	bits    uint64   // of a number
	text    string   // if it is short enough to keep
	of      uint32   // the kind of an array's values
	count   uint64   // of them
	numbers []uint64 // the bits of a short array's
}

func (v ggufValue) typeName() string {
	if v.kind == ggufArray {
		return "array of " + ggufTypes[v.of].name
	}
	return ggufTypes[v.kind].name
}

func (v ggufValue) uint32() (uint32, bool) { return uint32(v.bits), v.kind == ggufUint32 }

func (v ggufValue) float32() (float32, bool) {
	return math.Float32frombits(uint32(v.bits)), v.kind == ggufFloat32
}

func (v ggufValue) list(of uint32) bool { return v.kind == ggufArray && v.of == of }

// ggufMeta is the metadata of a file, and what was seen of the tokens.
type ggufMeta struct {
	values map[string]ggufValue
	words  ggufWords
}

// read reads an entry: key, type, value.
func (m *ggufMeta) read(g *ggufReader) error {
	key, err := g.text(maxKey)
	if err != nil {
		return fmt.Errorf("its key: %w", err)
	}
	if key == "" {
		return errors.New("its key is empty")
	}
	if _, ok := m.values[key]; ok {
		return fmt.Errorf("%.100q is there twice", key)
	}
	var word func([]byte) error
	if key == keyTokens {
		word = m.words.add
	}
	v, err := g.value(word)
	if err != nil {
		return fmt.Errorf("%.100q: %w", key, err) // a damaged one may be very long
	}
	m.values[key] = v
	return nil
}

// value reads the type and the value of an entry and gives each text of an array to word.
func (g *ggufReader) value(word func([]byte) error) (v ggufValue, err error) {
	if v.kind, err = g.u32(); err != nil {
		return v, err
	}
	switch v.kind {
	case ggufString:
		n, err := g.length()
		if err != nil {
			return v, err
		}
		if n > keptText {
			return v, g.skip(n)
		}
		b, err := g.bytes(int(n))
		v.text = string(b)
		return v, err
	case ggufArray:
		return v, g.array(&v, word)
	}
	t, ok := ggufTypes[v.kind]
	if !ok {
		return v, fmt.Errorf("a value of the unknown type %d", v.kind)
	}
	v.bits, err = g.number(t.size)
	return v, err
}

// number reads a number of 1 to 8 bytes.
func (g *ggufReader) number(size uint64) (bits uint64, err error) {
	b, err := g.bytes(int(size))
	for i, c := range b {
		bits |= uint64(c) << (8 * i)
	}
	return bits, err
}

func (g *ggufReader) array(v *ggufValue, word func([]byte) error) (err error) {
	if v.of, err = g.u32(); err != nil {
		return err
	}
	if v.count, err = g.u64(); err != nil {
		return err
	}
	t, ok := ggufTypes[v.of]
	if !ok || v.of == ggufArray {
		return fmt.Errorf("an array of the type %d, which is not one that an array may have", v.of)
	}
	size := t.size
	if v.of == ggufString {
		size = 8 // of its length, at least
	}
	if v.count > uint64(max(g.left(), 0))/size {
		return fmt.Errorf("%w: it claims an array of %d values, more than can follow", errTruncated, v.count)
	}
	if v.count > maxArray {
		return fmt.Errorf("an array of %d values, and llama.cpp reads at most %d", v.count, maxArray)
	}
	if v.of == ggufString {
		return g.texts(v.count, word)
	}
	if v.count > keptNumbers {
		return g.skip(v.count * size)
	}
	for range v.count {
		bits, err := g.number(size)
		if err != nil {
			return err
		}
		v.numbers = append(v.numbers, bits)
	}
	return nil
}

func (g *ggufReader) texts(count uint64, word func([]byte) error) error {
	for i := range count {
		n, err := g.length()
		if err != nil {
			return fmt.Errorf("text %d of %d: %w", i+1, count, err)
		}
		if word == nil {
			if err := g.skip(n); err != nil {
				return err
			}
			continue
		}
		b, err := g.bytes(int(n))
		if err != nil {
			return err
		}
		if err := word(b); err != nil {
			return err
		}
	}
	return nil
}

// alignment returns the distance of which tensors' offsets are multiples.
func (m *ggufMeta) alignment() (uint64, error) {
	const key = "general.alignment"
	v, ok := m.values[key]
	if !ok {
		return defaultAlign, nil
	}
	n, ok := v.uint32()
	if !ok {
		return 0, wrongType(key, v, "u32")
	}
	if n == 0 || n&(n-1) != 0 || n > maxAlign {
		return 0, fmt.Errorf("%q is %d, not a power of two of at most %d", key, n, maxAlign)
	}
	return uint64(n), nil
}

func wrongType(key string, v ggufValue, want string) error {
	return fmt.Errorf("%q is of the type %s, and it must be %s", key, v.typeName(), want)
}

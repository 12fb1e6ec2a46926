package starlark

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/whetgo/whet/module"
)

// The parent writes two frames to the child's standard input, limits and program, and
// leaves it open. The child writes the greeting to its standard output when its limits are set,
// and one frame, the outcome, when the code has ended. A frame is the length of a JSON text,
// as four bytes, and the text.

// greeting is the first that a child writes. The number changes with the protocol, so
// that a command of another version is found out.
const greeting = "whet-starlark 1\n"

// limits is what the child bounds itself.
type limits struct {
	Steps     int64 `json:"steps"`
	TimeoutMS int64 `json:"timeout_ms"`
	Memory    int64 `json:"memory"`
	Output    int   `json:"output"`
}

// program is what the child runs.
type program struct {
	Source string          `json:"source"`
	Inputs json.RawMessage `json:"inputs"`
}

// outcome is what came of it.
type outcome struct {
	Output   string          `json:"output"`
	HasValue bool            `json:"has_value,omitempty"`
	Value    json.RawMessage `json:"value,omitempty"`
	Fault    *fault          `json:"fault,omitempty"`
}

// fault is what was wrong with the code.
type fault struct {
	Kind    module.InterpreterErrorKind `json:"kind"`
	Limit   module.CodeLimit            `json:"limit,omitempty"`
	Message string                      `json:"message"`
	Line    int                         `json:"line,omitempty"`
	Column  int                         `json:"column,omitempty"`
}

func writeFrame(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(text)), uint32(len(text)))
	_, err = w.Write(append(frame, text...))
	return err
}

// readFrame reads a frame of at most the given number of bytes into v.
func readFrame(r io.Reader, limit int64, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := int64(binary.BigEndian.Uint32(head[:]))
	if n > limit {
		return fmt.Errorf("a frame of %d bytes, want at most %d", n, limit)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

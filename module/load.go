package module

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/whetgo/whet/lm"
)

// DefaultMaxFileSize is the size in bytes above which [Load] and [Unmarshal] refuse
// a file, unless [MaxFileSize] says otherwise: 64 MiB.
const DefaultMaxFileSize = 64 << 20

// ErrFileTooLarge is in the chain of the error for a file above the size that is
// accepted: see [MaxFileSize].
var ErrFileTooLarge = errors.New("the file is too large")

// LoadError is a saved program that does not fit, or is no saved program. The
// program that was to be changed is as before.
type LoadError struct {
	// File is the file, empty for bytes.
	File string
	// Line is the line of the file, from 1; 0 when the text itself is sound.
	Line int
	// Predictor is the predictor's name in the program, or in the file when the
	// program has none like it.
	Predictor string
	// Problem says what is wrong, what was expected and what to do.
	Problem string
	// Err is the cause, if there is one.
	Err error
}

// Error names file, line and predictor.
func (e *LoadError) Error() string {
	var b strings.Builder
	b.WriteString("module: loading a program")
	if e.File != "" {
		b.WriteString(" from " + e.File)
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, ": line %d", e.Line)
	}
	if e.Predictor != "" {
		fmt.Fprintf(&b, ": predictor %q", e.Predictor)
	}
	b.WriteString(": " + e.Problem)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *LoadError) Unwrap() error { return e.Err }

// LoadReport says what a load found and what it did beyond taking over the states.
type LoadReport struct {
	// Format is the form of the file: "whet, schema 1", "DSPy 3.4.1" where the file
	// names its version, else the versions that write this form: "DSPy 2.5.3 to
	// 2.5.42".
	Format string
	// Provenance is where the file says that the program came from, or nil.
	Provenance *Provenance
	// KeptLM names the predictors for which the file has a language model that was
	// not used, so that they keep their own: see [Resolve].
	KeptLM []string
	// Notes lists what was adapted, and what of the file was left out: a file of
	// whet for the same program has none, but for demos with values that are none of
	// their type.
	Notes []Note
}

// Note is something that was adapted or left out.
type Note struct {
	// Predictor is the predictor's name in the program; empty when the note concerns
	// the whole file.
	Predictor string
	// Text says what was done.
	Text string
}

// String returns the note as a line.
func (n Note) String() string {
	if n.Predictor == "" {
		return n.Text
	}
	return fmt.Sprintf("predictor %q: %s", n.Predictor, n.Text)
}

// LoadOption configures [Load] and [Unmarshal].
type LoadOption func(*loadOptions)

type loadOptions struct {
	resolve        func(model string) (lm.LM, error)
	maxSize        int64
	ignorePrefixes bool
}

func newLoadOptions(opts []LoadOption) loadOptions {
	o := loadOptions{maxSize: DefaultMaxFileSize}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Resolve turns the model names of a file into language models. Without it each
// predictor keeps its own, also one that its state has.
func Resolve(fn func(model string) (lm.LM, error)) LoadOption {
	return func(o *loadOptions) { o.resolve = fn }
}

// MaxFileSize sets how many bytes a file may have; the default is
// [DefaultMaxFileSize]. While it is read, a file takes a few times its size.
func MaxFileSize(bytes int64) LoadOption {
	return func(o *loadOptions) { o.maxSize = bytes }
}

// IgnorePrefixes takes the fields of a signature by their position, whatever
// prefix the file gives them, as DSPy does. The prefixes are how a file of another
// program is told apart, so this is for programs whose prefixes were written by
// hand or by COPRO. Their number must still agree.
func IgnorePrefixes() LoadOption {
	return func(o *loadOptions) { o.ignorePrefixes = true }
}

// Load reads a file that [Save] or DSPy wrote (2.4 to 3.x) and takes over its
// states: all of them, or none when an error is returned. Every predictor of the
// program must be in the file and every one of the file in the program. What has
// changed in DSPy's files over the years is adapted, and the report says so. A
// file that does not fit is a *LoadError.
func Load(path string, program any, opts ...LoadOption) (*LoadReport, error) {
	data, err := readFile(path, newLoadOptions(opts).maxSize)
	if err != nil {
		return nil, err
	}
	report, err := Unmarshal(data, program, opts...)
	return report, inFile(err, path)
}

// Unmarshal is [Load] for bytes.
func Unmarshal(data []byte, program any, opts ...LoadOption) (*LoadReport, error) {
	named, err := Predictors(program)
	if err != nil {
		return nil, err
	}
	states, report, err := decode(data, named, newLoadOptions(opts))
	if err != nil {
		return nil, err
	}
	states.Apply()
	return report, nil
}

// readFile returns the bytes of a file, or a *LoadError.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &LoadError{File: path, Problem: "cannot read the file", Err: err}
	}
	defer f.Close()
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		if info.Size() > limit {
			return nil, inFile(tooLarge(info.Size(), limit), path)
		}
		b.Grow(int(info.Size()) + bytes.MinRead)
	}
	// The file may grow, or have no size that could be asked for. limit+1 is less than
	// limit where it overflows.
	n, err := b.ReadFrom(io.LimitReader(f, max(limit, limit+1)))
	if err != nil {
		return nil, &LoadError{File: path, Problem: "cannot read the file", Err: err}
	}
	if n > limit {
		return nil, inFile(tooLarge(n, limit), path)
	}
	return b.Bytes(), nil
}

func tooLarge(size, limit int64) error {
	return &LoadError{Problem: fmt.Sprintf("it has at least %d bytes and %d are accepted; see module.MaxFileSize", size, limit), Err: ErrFileTooLarge}
}

// inFile adds the file's name to a LoadError.
func inFile(err error, path string) error {
	var le *LoadError
	if errors.As(err, &le) && le.File == "" {
		le.File = path
	}
	return err
}

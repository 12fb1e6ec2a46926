package evaluate

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// DataOption configures how a data file is read.
type DataOption func(*dataOptions)

type dataOptions struct {
	columns   map[string]string
	maps      map[string][]func(string) string
	unlabeled bool
	comma     rune
}

// Column says that the field stands in the data's column (or JSON key) of that
// name; by default the names are the same, letter for letter. The field's name
// is that of the signature: the json tag, else the snake-case of the Go name.
func Column(field, column string) DataOption {
	return func(o *dataOptions) { o.columns[field] = column }
}

// Map changes a field's text before it is read, for example with strings.ToLower.
// Several maps of one field apply in order. In JSON data it applies to values
// that are strings. f must be safe to call again.
func Map(field string, f func(string) string) DataOption {
	return func(o *dataOptions) { o.maps[field] = append(o.maps[field], f) }
}

// Unlabeled reads inputs only: the data needs no column for the output fields,
// and the examples' Out stays zero.
func Unlabeled() DataOption { return func(o *dataOptions) { o.unlabeled = true } }

// Comma sets what separates the columns of CSV; the default is a comma.
func Comma(r rune) DataOption { return func(o *dataOptions) { o.comma = r } }

// dataField is a field of the examples and where it comes from.
type dataField struct {
	signature.Field
	column string
	maps   []func(string) string
}

// reader turns rows of raw values into examples.
type reader[In, Out any] struct {
	file    string
	in, out []dataField
	comma   rune
}

func newReader[In, Out any](file string, opts []DataOption) (*reader[In, Out], error) {
	o := dataOptions{columns: map[string]string{}, maps: map[string][]func(string) string{}, comma: ','}
	for _, opt := range opts {
		opt(&o)
	}
	sig, err := signature.Of[In, Out]("")
	if err != nil {
		return nil, fmt.Errorf("evaluate: reading %s: %w", file, err)
	}
	for _, name := range slices.Sorted(names(o)) {
		_, in := sig.Input(name)
		if _, out := sig.Output(name); !in && !out {
			return nil, fmt.Errorf("evaluate: reading %s: an option names the field %q, but the fields are those of %s", file, name, sig)
		}
	}
	fields := func(fs []signature.Field) []dataField {
		out := make([]dataField, len(fs))
		for i, f := range fs {
			out[i] = dataField{Field: f, column: f.Name, maps: o.maps[f.Name]}
			if c, ok := o.columns[f.Name]; ok {
				out[i].column = c
			}
		}
		return out
	}
	r := &reader[In, Out]{file: file, in: fields(sig.Inputs()), comma: o.comma}
	if !o.unlabeled {
		r.out = fields(sig.Outputs())
	}
	return r, nil
}

func names(o dataOptions) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for n := range o.columns {
			if !yield(n) {
				return
			}
		}
		for n := range o.maps {
			if !yield(n) {
				return
			}
		}
	}
}

// cell is one raw value of a row and its place.
type cell struct {
	value        signature.Value
	text         bool // value is the text of a CSV field, whatever its type
	line, column int
}

// example makes an example of a row. get returns the cell of a column; ok is
// false when the row has none.
func (r *reader[In, Out]) example(row, line int, get func(column string) (c cell, ok bool)) (module.Example[In, Out], error) {
	ex := module.Example[In, Out]{ID: filepath.Base(r.file) + ":" + strconv.Itoa(row)}
	in, err := r.record(r.in, line, get)
	if err != nil {
		return ex, err
	}
	if err := signature.Decode(in, &ex.In); err != nil {
		return ex, r.fail(cell{line: line}, "", err.Error(), err)
	}
	if r.out == nil {
		return ex, nil
	}
	out, err := r.record(r.out, line, get)
	if err != nil {
		return ex, err
	}
	if err := signature.Decode(out, &ex.Out); err != nil {
		return ex, r.fail(cell{line: line}, "", err.Error(), err)
	}
	return ex, nil
}

func (r *reader[In, Out]) record(fields []dataField, line int, get func(string) (cell, bool)) (signature.Record, error) {
	names, values := make([]string, len(fields)), make([]signature.Value, len(fields))
	for i, f := range fields {
		names[i] = f.Name
		c, ok := get(f.column)
		switch {
		case !ok && f.Type.Optional:
			continue
		case !ok:
			return signature.Record{}, r.fail(cell{line: line}, f.column, "is missing"+r.renamed(f), nil)
		}
		v, err := f.convert(c)
		if err != nil {
			return signature.Record{}, r.fail(c, f.column, err.Error(), err)
		}
		values[i] = v
	}
	return signature.MakeRecord(names, values), nil
}

func (r *reader[In, Out]) renamed(f dataField) string {
	if f.Name == f.column {
		return ""
	}
	return fmt.Sprintf(" (it holds the field %q)", f.Name)
}

func (r *reader[In, Out]) fail(at cell, column, problem string, err error) error {
	return &DataError{File: r.file, Line: at.line, Column: at.column, Field: column, Problem: problem, Err: err}
}

// convert returns the value of a cell in the field's type.
func (f *dataField) convert(c cell) (signature.Value, error) {
	v := c.value
	if s, ok := v.(string); ok {
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("%q is not UTF-8; convert the file first", s)
		}
		for _, m := range f.maps {
			s = m(s)
		}
		v = s
		if c.text {
			if s == "" && f.Type.Optional {
				return nil, nil // absent
			}
			var err error
			if v, err = parseText(f.Type, s); err != nil {
				return nil, err
			}
		}
	}
	if v == nil && !f.Type.Optional {
		return nil, fmt.Errorf("is null, but the field is not optional")
	}
	return signature.Coerce(f.Type, v)
}

// parseText reads the text of a CSV field. Lists and objects are JSON.
func parseText(t *signature.Type, s string) (signature.Value, error) {
	switch t.Kind {
	case signature.KindString, signature.KindEnum, signature.KindTime:
		return s, nil
	}
	trimmed := strings.TrimSpace(s)
	switch t.Kind {
	case signature.KindBool:
		if b, err := strconv.ParseBool(trimmed); err == nil {
			return b, nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", s)
	case signature.KindInt:
		if n, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
			return n, nil
		}
		return nil, fmt.Errorf("%q is no whole number", s)
	case signature.KindFloat:
		if x, err := strconv.ParseFloat(trimmed, 64); err == nil {
			return x, nil
		}
		return nil, fmt.Errorf("%q is no number", s)
	}
	v, err := signature.ParseValue([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("%q is not JSON, as a list or object has to be here: %w", s, err)
	}
	return v, nil
}

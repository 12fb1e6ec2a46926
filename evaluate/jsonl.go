package evaluate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// ReadJSONL reads a file of JSON lines as [DecodeJSONL] does.
func ReadJSONL[In, Out any](path string, opts ...DataOption) ([]module.Example[In, Out], error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	defer f.Close()
	return DecodeJSONL[In, Out](f, path, opts...)
}

// DecodeJSONL reads examples from JSON lines: one object a line, which holds the
// fields of In and Out side by side. Blank lines are skipped. name, options, IDs
// and errors are those of [DecodeCSV]; keys that no field has are ignored. A
// value must have its field's JSON type: a string "3" is no number. null stands
// for an absent optional field.
func DecodeJSONL[In, Out any](r io.Reader, name string, opts ...DataOption) ([]module.Example[In, Out], error) {
	rd, err := newReader[In, Out](name, opts)
	if err != nil {
		return nil, err
	}
	br := skipBOM(r)
	var data []module.Example[In, Out]
	for n := 1; ; n++ {
		line, err := br.ReadBytes('\n')
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return nil, &DataError{File: name, Line: n, Problem: err.Error(), Err: err}
		}
		if len(bytes.TrimSpace(line)) > 0 {
			ex, err := rd.jsonLine(len(data)+1, n, line)
			if err != nil {
				return nil, err
			}
			data = append(data, ex)
		}
		if last {
			return data, nil
		}
	}
}

func (r *reader[In, Out]) jsonLine(row, n int, line []byte) (module.Example[In, Out], error) {
	cells, err := r.jsonCells(n, line)
	if err != nil {
		return module.Example[In, Out]{}, err
	}
	return r.example(row, n, func(column string) (cell, bool) {
		c, ok := cells[column]
		return c, ok
	})
}

// jsonCells reads one object and remembers where its values stand.
func (r *reader[In, Out]) jsonCells(n int, line []byte) (map[string]cell, error) {
	fail := func(column int, field, problem string, err error) error {
		return &DataError{File: r.file, Line: n, Column: column, Field: field, Problem: problem, Err: err}
	}
	if !utf8.Valid(line) {
		return nil, fail(0, "", "the line is not UTF-8; convert the file first", nil)
	}
	var whole json.RawMessage
	if err := json.Unmarshal(line, &whole); err != nil {
		var s *json.SyntaxError
		if !errors.As(err, &s) {
			return nil, fail(0, "", err.Error(), err)
		}
		if strings.HasPrefix(err.Error(), "unexpected end") {
			return nil, fail(int(s.Offset), "", "the JSON object is not complete", err)
		}
		return nil, fail(int(s.Offset), "", err.Error()+"; want one JSON object a line", err)
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, fail(1, "", "want one JSON object a line", err)
	}
	cells := map[string]cell{}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, fail(0, "", err.Error(), err)
		}
		key, _ := tok.(string)
		if _, ok := cells[key]; ok {
			return nil, fail(int(dec.InputOffset()), key, "stands twice in the object", nil)
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, fail(0, key, err.Error(), err)
		}
		at := int(dec.InputOffset()) - len(raw) + 1
		v, err := signature.ParseValue(raw)
		if err != nil {
			return nil, fail(at, key, err.Error(), err)
		}
		cells[key] = cell{value: v, line: n, column: at}
	}
	return cells, nil
}

package evaluate

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/whetgo/whet/module"
)

// ReadCSV reads a CSV file as [DecodeCSV] does.
func ReadCSV[In, Out any](path string, opts ...DataOption) ([]module.Example[In, Out], error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	defer f.Close()
	return DecodeCSV[In, Out](f, path, opts...)
}

// DecodeCSV reads examples from CSV (RFC 4180) whose first line names the
// columns. name is the file's name: it stands in errors, and its last element in
// the examples' IDs, "last100.csv:17" for the 17th row of data.
//
// Every field of In and Out needs a column of its name ([Column] renames), except
// optional ones (pointers); other columns are ignored. Text is taken as it is,
// white space included; an empty text is absent for an optional field. Numbers
// and booleans (true, false, 1, 0) are in Go's notation, times in RFC 3339, lists
// and objects in JSON. A byte order mark at the beginning is skipped. U+FFFD in
// the text is left alone, but bytes that are no UTF-8 are an error.
//
// What does not fit, be it a row with too few columns or a text that an
// enumeration does not have, is a [*DataError] with file, line and column.
func DecodeCSV[In, Out any](r io.Reader, name string, opts ...DataOption) ([]module.Example[In, Out], error) {
	rd, err := newReader[In, Out](name, opts)
	if err != nil {
		return nil, err
	}
	cr := csv.NewReader(skipBOM(r))
	cr.Comma = rd.comma
	cr.ReuseRecord = true
	header, err := cr.Read()
	if errors.Is(err, io.EOF) {
		return nil, &DataError{File: name, Problem: "the file is empty; want a first line that names the columns"}
	}
	if err != nil {
		return nil, csvError(name, err, 0, 0)
	}
	where := make(map[string]int, len(header))
	for i, h := range header {
		if _, ok := where[h]; ok {
			line, col := cr.FieldPos(i)
			return nil, &DataError{File: name, Line: line, Column: col, Field: h, Problem: "two columns have this name"}
		}
		where[strings.Clone(h)] = i
	}
	for _, f := range append(rd.in, rd.out...) {
		if _, ok := where[f.column]; !ok && !f.Type.Optional {
			return nil, &DataError{
				File: name, Line: 1, Field: f.column,
				Problem: fmt.Sprintf("is missing%s; the columns are %s", rd.renamed(f), strings.Join(header, ", ")),
			}
		}
	}
	columns := len(header)
	var data []module.Example[In, Out]
	for {
		row, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return nil, csvError(name, err, len(row), columns)
		}
		line, _ := cr.FieldPos(0)
		ex, err := rd.example(len(data)+1, line, func(column string) (cell, bool) {
			i, ok := where[column]
			if !ok {
				return cell{}, false
			}
			l, c := cr.FieldPos(i)
			return cell{value: row[i], text: true, line: l, column: c}, true
		})
		if err != nil {
			return nil, err
		}
		data = append(data, ex)
	}
}

func csvError(name string, err error, got, want int) error {
	e := &DataError{File: name, Problem: err.Error(), Err: err}
	var p *csv.ParseError
	if errors.As(err, &p) {
		e.Line, e.Column, e.Problem = p.Line, p.Column, p.Err.Error()
		switch {
		case errors.Is(err, csv.ErrFieldCount):
			e.Problem = fmt.Sprintf("the row has %d columns, but the first line names %d", got, want)
		case p.StartLine != p.Line:
			e.Problem += fmt.Sprintf(" (in the row that begins on line %d)", p.StartLine)
		}
	}
	return e
}

// skipBOM returns r without the byte order mark at its beginning.
func skipBOM(r io.Reader) *bufio.Reader {
	br := bufio.NewReader(r)
	bom := []byte("\ufeff")
	if b, err := br.Peek(len(bom)); err == nil && bytes.Equal(b, bom) {
		_, _ = br.Discard(len(bom)) // peeked
	}
	return br
}

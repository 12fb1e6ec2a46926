package price

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/whetgo/whet/lm"
)

// maxFile is how long a table may be, in bytes.
const maxFile = 16 << 20

// The form of a table; see the package's comment.
type (
	fileTable struct {
		AsOf      string         `json:"as_of"`
		Source    string         `json:"source"`
		License   string         `json:"license"`
		Providers []fileProvider `json:"providers"`
	}
	fileProvider struct {
		ID       string            `json:"id"`
		Names    matcher           `json:"names"`
		Owns     matcher           `json:"owns"`
		Fallback []string          `json:"fallback"`
		Models   []json.RawMessage `json:"models"`
	}
	fileModel struct {
		ID       string   `json:"id"`
		Match    matcher  `json:"match"`
		Prices   []prices `json:"prices"`
		Variants []prices `json:"variants"`
	}
)

// Read reads a table in the form that the package's comment describes, of at most 16 MiB.
// An unknown name in it is an error, since a price that is misspelt would be missing.
func Read(r io.Reader) (*Table, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if len(data) > maxFile {
		return nil, unreadable(fmt.Errorf("it has more than %d bytes", maxFile))
	}
	var file fileTable
	if err := strict(data, &file); err != nil {
		return nil, unreadable(err)
	}
	t := &Table{source: file.Source}
	if file.AsOf != "" {
		if t.asOf, err = time.Parse(time.DateOnly, file.AsOf); err != nil {
			return nil, unreadable(fmt.Errorf("as_of is %s, and not a day such as \"2026-11-25\"", short(file.AsOf)))
		}
	}
	for i, f := range file.Providers {
		p, err := f.provider()
		if err != nil {
			return nil, unreadable(fmt.Errorf("provider %d (%s): %w", i, f.ID, err))
		}
		if t.byID(p.id) != nil {
			return nil, unreadable(fmt.Errorf("provider %d: %s is there twice", i, p.id))
		}
		t.providers = append(t.providers, p)
	}
	return t, nil
}

func (f fileProvider) provider() (*provider, error) {
	if f.ID == "" || f.ID != strings.ToLower(strings.TrimSpace(f.ID)) {
		return nil, errors.New("the id is empty, or not in lower case")
	}
	p := &provider{id: f.ID, names: f.Names, owns: f.Owns, fallback: f.Fallback}
	for i, raw := range f.Models {
		var fm fileModel
		err := strict(raw, &fm)
		if err == nil {
			err = fm.check()
		}
		if err != nil {
			return nil, fmt.Errorf("model %d (%s): %w", i, fm.ID, err)
		}
		p.models = append(p.models, &model{id: fm.ID, match: fm.Match, prices: fm.Prices, variants: fm.Variants})
	}
	p.index()
	return p, nil
}

func (f *fileModel) check() error {
	if f.ID == "" {
		return errors.New("the id is empty")
	}
	if f.Match == nil {
		f.Match = matcher{{{text: strings.ToLower(f.ID)}}}
	}
	for i := range f.Prices {
		if err := f.Prices[i].check(); err != nil {
			return err
		}
		if f.Prices[i].When != nil {
			return errors.New("a price has a when; that belongs among the variants")
		}
	}
	for i := range f.Variants {
		if err := f.Variants[i].check(); err != nil {
			return err
		}
		if len(f.Variants[i].When) == 0 {
			return errors.New("a variant has no when")
		}
	}
	return nil
}

// strict reads one JSON value and nothing behind it.
func strict(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the table")
	}
	return nil
}

func unreadable(err error) error {
	return &lm.Error{Kind: lm.ErrInvalidRequest, Message: "this is no table of prices (package lm/price says what one looks like)", Err: err}
}

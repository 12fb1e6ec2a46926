package main

import (
	"bytes"
	_ "embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/module"
)

// sample holds messages of our own, for machines that do not have the data set.
//
//go:embed sample.csv
var sample []byte

// sampleTrain is how many rows of the sample are for training.
const sampleTrain = 80

type row = module.Example[SMS, Verdict]

// testSet is rows that choose nothing and are reported once.
type testSet struct {
	name string
	rows []row
}

// dataset is what the example runs on.
type dataset struct {
	title string
	train []row
	tests []testSet
}

var csvOptions = []evaluate.DataOption{
	evaluate.Column("text", "TEXT"),
	evaluate.Column("label", "LABEL"),
	evaluate.Map("label", strings.ToLower), // the file spells labels in five ways
}

// loadData reads the real data from dir, or the sample when dir was not asked for
// and is not there. limit bounds the rows of each test set; 0 is no bound.
func loadData(dir string, asked bool, limit int) (*dataset, error) {
	if dir == "sample" {
		return sampleData(limit)
	}
	train, err := evaluate.ReadCSV[SMS, Verdict](filepath.Join(dir, "first100.csv"), csvOptions...)
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return sampleData(limit)
	}
	if err != nil {
		return nil, err
	}
	last, err := evaluate.ReadCSV[SMS, Verdict](filepath.Join(dir, "last100.csv"), csvOptions...)
	if err != nil {
		return nil, err
	}
	between, err := evaluate.ReadCSV[SMS, Verdict](filepath.Join(dir, "sms.csv"), csvOptions...)
	if err != nil {
		return nil, err
	}
	fresh := first(without(between, train), 500)
	return &dataset{
		title: "real messages: " + dir,
		train: train,
		tests: []testSet{
			{"the talk's test rows (last100.csv)", first(last, limit)},
			{"500 fresh rows (sms.csv)", first(fresh, limit)},
		},
	}, nil
}

func sampleData(limit int) (*dataset, error) {
	rows, err := evaluate.DecodeCSV[SMS, Verdict](bytes.NewReader(sample), "sample.csv", csvOptions...)
	if err != nil {
		return nil, err
	}
	return &dataset{
		title: "NOT the real data: the embedded sample of messages written for this example",
		train: rows[:sampleTrain],
		tests: []testSet{{"the rest of the sample", first(rows[sampleTrain:], limit)}},
	}, nil
}

// without drops the rows whose text stands in seen, letter case and white space
// apart.
func without(rows, seen []row) []row {
	key := func(r row) string { return strings.Join(strings.Fields(strings.ToLower(r.In.Text)), " ") }
	known := map[string]bool{}
	for _, r := range seen {
		known[key(r)] = true
	}
	var out []row
	for _, r := range rows {
		if !known[key(r)] {
			out = append(out, r)
		}
	}
	return out
}

func first(rows []row, n int) []row {
	if n > 0 && n < len(rows) {
		return rows[:n]
	}
	return rows
}

// defaultData is where the data lie beside a checkout.
func defaultData() string {
	for _, dir := range []string{"../shared/data/smishing", "../../../shared/data/smishing"} {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	return "../shared/data/smishing"
}

package main

import (
	"encoding/csv"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/whetgo/whet/internal/bayes"
)

// TestBayesSample reads the sample shipped with the example: its shape, and
// that the baseline learns something from its first 80 rows.
func TestBayesSample(t *testing.T) {
	texts, labels := readBayesCSV(t, "sample.csv")
	if len(texts) < 160 {
		t.Fatalf("sample.csv: %d rows, want at least 160", len(texts))
	}
	seen := map[string]bool{}
	count := map[string]int{}
	for i, text := range texts {
		key := strings.ToLower(text)
		if seen[key] {
			t.Errorf("sample.csv: %q occurs twice", text)
		}
		seen[key] = true
		count[labels[i]]++
	}
	if want := map[string]int{"ham": 112, "spam": 24, "smishing": 26}; !reflect.DeepEqual(count, want) {
		t.Errorf("sample.csv: labels %v, want %v", count, want)
	}
	b := &bayes.Classifier{}
	for i := range 80 {
		b.Add(texts[i], labels[i])
	}
	acc, f1 := bayesScores(b, texts[80:], labels[80:])
	t.Logf("rows 1-80 to train, %d to test: accuracy %.4f, macro F1 %.4f", len(texts)-80, acc, f1)
	always := 0
	for _, l := range labels[80:] {
		if l == "ham" {
			always++
		}
	}
	if base := float64(always) / float64(len(texts)-80); acc <= base {
		t.Errorf("accuracy %.4f is no better than always-ham, %.4f", acc, base)
	}
}

// readBayesCSV returns the TEXT column and the lower-cased LABEL column.
func readBayesCSV(t *testing.T, path string) (texts, labels []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(rows) == 0 || len(rows[0]) < 2 || rows[0][0] != "LABEL" || rows[0][1] != "TEXT" {
		t.Fatalf("%s: the header does not begin with LABEL,TEXT", path)
	}
	for _, r := range rows[1:] {
		labels = append(labels, strings.ToLower(r[0]))
		texts = append(texts, r[1])
	}
	return texts, labels
}

// bayesScores returns the accuracy and the mean of the three classes' F1 (0
// where undefined).
func bayesScores(b *bayes.Classifier, texts, gold []string) (accuracy, macroF1 float64) {
	hit, guessed, actual := map[string]int{}, map[string]int{}, map[string]int{}
	right := 0
	for i, text := range texts {
		got := b.Classify(text)
		guessed[got]++
		actual[gold[i]]++
		if got == gold[i] {
			hit[got]++
			right++
		}
	}
	classes := []string{"ham", "smishing", "spam"}
	for _, c := range classes {
		if n := guessed[c] + actual[c]; n > 0 {
			macroF1 += 2 * float64(hit[c]) / float64(n)
		}
	}
	return float64(right) / float64(len(texts)), macroF1 / float64(len(classes))
}

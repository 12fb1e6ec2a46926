package main

import (
	"encoding/csv"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestBayesTokens(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{" \t.,!£", nil},
		{"Don't pay 50p", []string{"don", "pay", "50p"}},
		{"Call 0700-900-123 a_b", []string{"call", "0700", "900", "123", "a_b"}},
		{"ÜBER Straße é", []string{"über", "straße"}},
		{"no no", []string{"no", "no"}},
	} {
		if got := bayesTokens(c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("bayesTokens(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestBayesClassify(t *testing.T) {
	texts := []string{
		"see you at lunch then",
		"lunch was lovely thanks",
		"are you home yet",
		"win a free holiday prize",
		"free tones, win a prize today",
		"your bank account is locked, verify now",
		"verify your account at the bank",
	}
	labels := []string{"ham", "ham", "ham", "spam", "spam", "smishing", "smishing"}
	b := trainBayes(texts, labels)
	for _, c := range []struct{ text, want string }{
		{"lunch at home?", "ham"},
		{"WIN free tones", "spam"},
		{"please verify your bank account", "smishing"},
		{"", "ham"},                    // the prior alone
		{"zebra quartz vortex", "ham"}, // unknown words are skipped
	} {
		for range 20 { // map order must not show
			if got := b.classify(c.text); got != c.want {
				t.Fatalf("classify(%q) = %q, want %q", c.text, got, c.want)
			}
		}
	}
}

func TestBayesTiesAndEmpty(t *testing.T) {
	b := trainBayes([]string{"blue", "green"}, []string{"z", "a"})
	for range 20 {
		if got := b.classify("neither"); got != "a" {
			t.Fatalf("tie: got %q, want the first label in sorted order, a", got)
		}
	}
	if got := b.classify("blue"); got != "z" {
		t.Errorf("classify(blue) = %q, want z", got)
	}
	if got := trainBayes(nil, nil).classify("any"); got != "" {
		t.Errorf("trained on nothing: got %q, want the empty string", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("lengths that differ: no panic")
		}
	}()
	trainBayes([]string{"one"}, nil)
}

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
	b := trainBayes(texts[:80], labels[:80])
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
func bayesScores(b *naiveBayes, texts, gold []string) (accuracy, macroF1 float64) {
	hit, guessed, actual := map[string]int{}, map[string]int{}, map[string]int{}
	right := 0
	for i, text := range texts {
		got := b.classify(text)
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

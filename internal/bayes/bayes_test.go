package bayes

import (
	"fmt"
	"reflect"
	"testing"
)

func ExampleClassifier() {
	var c Classifier
	c.Add("lunch at noon?", "ham")
	c.Add("you have won a prize", "spam")
	fmt.Println(c.Classify("Claim the PRIZE that you have won"))
	// Output: spam
}

func TestTokens(t *testing.T) {
	t.Parallel()
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
		if got := tokens(c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("tokens(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
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
	b := trained(texts, labels)
	for _, c := range []struct{ text, want string }{
		{"lunch at home?", "ham"},
		{"WIN free tones", "spam"},
		{"please verify your bank account", "smishing"},
		{"", "ham"},                    // the prior alone
		{"zebra quartz vortex", "ham"}, // unknown words are skipped
	} {
		for range 20 { // map order must not show
			if got := b.Classify(c.text); got != c.want {
				t.Fatalf("classify(%q) = %q, want %q", c.text, got, c.want)
			}
		}
	}
}

func TestTiesAndEmpty(t *testing.T) {
	t.Parallel()
	b := trained([]string{"blue", "green"}, []string{"z", "a"})
	for range 20 {
		if got := b.Classify("neither"); got != "a" {
			t.Fatalf("tie: got %q, want the first label in sorted order, a", got)
		}
	}
	if got := b.Classify("blue"); got != "z" {
		t.Errorf("classify(blue) = %q, want z", got)
	}
	if got := new(Classifier).Classify("any"); got != "" {
		t.Errorf("trained on nothing: got %q, want the empty string", got)
	}
}

// trained returns a classifier that knows these texts.
func trained(texts, labels []string) *Classifier {
	c := &Classifier{}
	for i, text := range texts {
		c.Add(text, labels[i])
	}
	return c
}

package normalize

import "testing"

// TestText has the cases of DSPy 3.4.1, and a few of ours.
func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"The,  Eiffel  Tower!":  "eiffel tower",
		"A cat":                 "cat",
		"an apple a day":        "apple day",
		"Caf\u00e9":             "cafe\u0301",
		"THE":                   "",
		"anthem":                "anthem",
		"don't":                 "dont",
		"1,234.5":               "12345",
		"na\u00efve\u2014dash":  "nai\u0308ve\u2014dash",
		"  x\ty\n":              "x y",
		"":                      "",
		"theatre of the absurd": "theatre of absurd",
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

package optimize

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
)

// TestBrief has neither a reply nor a model in what reports show.
func TestBrief(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{&adapter.ParseError{Field: "proposed_instruction", Raw: "secret reply"}, "the field proposed_instruction of the reply could not be read"},
		{&lm.Error{Kind: lm.ErrTimeout, Model: "secret model", Message: "at secret.example"}, "timed out"},
		{errBlank, "the proposed instruction is empty"},
		{errors.New("secret"), "the reply is not what was asked for"},
	} {
		if got := brief(fmt.Errorf("about secret: %w", c.err)); got != c.want || strings.Contains(got, "secret") {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

// TestBare takes off quotation marks in pairs.
func TestBare(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		` "Be brief." `: "Be brief.", `""Be brief.""`: "Be brief.", `Say "yes"`: `Say "yes"`, `"Yes" or no`: `"Yes" or no`, `"`: "", `""`: "", "": "",
	} {
		if got := bare(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

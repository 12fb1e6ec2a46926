package module

import (
	"strings"
	"testing"
)

var pythonFences = []string{"python", "py"}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "x = 1\ny = 2\n", "x = 1\ny = 2"},
		{"fence", "Here it is:\n```python\nx = 1\n```\nDone.", "x = 1"},
		{"upper case", "```Python\nx = 1\n```", "x = 1"},
		{"with an attribute", "```python title=\"a\"\nx = 1\n```", "x = 1"},
		{"no name", "```\nx = 1\n```", "x = 1"},
		{"another name alone", "```js\nx = 1\n```", "x = 1"},
		{"the right name", "```json\n{}\n```\n```py\nx = 1\n```", "x = 1"},
		{"the first of two", "```py\nx = 1\n```\n```py\ny = 2\n```", "x = 1"},
		{"not closed", "```python\nx = 1\ny = 2", "x = 1\ny = 2"},
		{"a fence within", "```python\nx = '```'\ny = 2\n```", "x = '```'\ny = 2"},
		{"one line", "```python x = 1```", "x = 1"},
		{"one line, no name", "```x = 1```", "x = 1"},
		{"indented", "  ```python\n  if x:\n    y = 1\n\n  z = 2\n  ```", "if x:\n  y = 1\n\nz = 2"},
		{"indented unevenly", "    x = 1\n  y = 2", "  x = 1\ny = 2"},
		{"carriage returns", "```python\r\nx = 1\r\ny = 2\r\n```\r\n", "x = 1\ny = 2"},
		{"empty", "", ""},
		{"an empty fence", "```python\n\n```", ""},
		{"four marks", "````python\nx = 1\n````", "x = 1\n````"},
		{"blank lines", "\n\n\tx = 1  \n\n", "x = 1  "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := codeOf(tt.text, pythonFences); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzCodeOf(f *testing.F) {
	for _, s := range []string{"x = 1", "```py\nx\n```", "```", "``````", "``` ```py", "a\r\n\tb\n c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := codeOf(text, pythonFences)
		if len(got) > len(text) {
			t.Errorf("%q is longer than %q", got, text)
		}
		if strings.HasPrefix(got, "\n") || strings.HasSuffix(got, "\n") {
			t.Errorf("%q has empty lines around", got)
		}
		// What is code stays code.
		if fenced := "```python\n" + got + "\n```"; !strings.Contains(got, fence) && codeOf(fenced, pythonFences) != got {
			t.Errorf("%q in a fence becomes %q", got, codeOf(fenced, pythonFences))
		}
	})
}

func TestForModel(t *testing.T) {
	t.Parallel()
	e := &InterpreterError{Message: "bad", Line: 2, Output: strings.Repeat("ä", 2000)}
	got := e.forModel()
	if !strings.HasPrefix(got, "line 2: bad\nPrinted before that:\n...ä") || len(got) > shownOutput+60 || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("%.80q of %d bytes", got, len(got))
	}
}

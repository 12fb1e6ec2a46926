package fromdspy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page shows only code that is compiled and run here.
func TestPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "from-dspy.md"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	plain := func(code string) string { // without indentation, which differs inside a function
		lines := strings.Split(strings.TrimSpace(code), "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		return strings.Join(lines, "\n")
	}
	all := plain(string(source))
	blocks := 0
	for i, part := range strings.Split(string(page), "```go\n") {
		if i == 0 {
			continue
		}
		code, _, _ := strings.Cut(part, "```")
		blocks++
		if !strings.Contains(all, plain(code)) {
			t.Errorf("example_test.go does not hold this block of the page:\n%s", code)
		}
	}
	if blocks < 10 {
		t.Errorf("the page has %d blocks of Go only", blocks)
	}
}

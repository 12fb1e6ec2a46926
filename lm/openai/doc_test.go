package openai

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestDocTable compares the table of the package's documentation with what is sent.
func TestDocTable(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(doc), "logprobs  n    JSON     schema  Shape  Prompt\n")
	if !found {
		t.Fatal("the table is not there")
	}
	table, _, _ = strings.Cut(table, "//\n")
	rows := map[string]string{}
	for line := range strings.Lines(table) {
		name, cells, _ := strings.Cut(strings.Join(strings.Fields(strings.TrimPrefix(line, "//")), " "), " ")
		rows[name] = cells
	}
	cell := func(have bool, text string) string {
		if have {
			return text
		}
		return "-"
	}
	for _, name := range Providers() {
		d, _ := DialectOf(name)
		want := strings.Join([]string{
			cell(d.SeedField != "", "yes"), cell(d.TopK, "yes"), cell(d.MinP, "yes"), cell(d.Logprobs, "yes"), cell(d.MaxN > 1, strconv.Itoa(d.MaxN)),
			cell(d.JSONObject, "object"), cell(d.JSONSchema, "yes"), cell(d.Shapes != ShapesNone, "yes"), cell(d.Completions, "yes"),
		}, " ")
		if rows[name] != want {
			t.Errorf("the table says of %s %q, want %q", name, rows[name], want)
		}
	}
	if len(rows) != len(Providers()) {
		t.Errorf("the table has %d rows for %d providers", len(rows), len(Providers()))
	}
}

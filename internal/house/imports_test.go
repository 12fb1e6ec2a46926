package house_test

import (
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "github.com/whetgo/whet"

// allowed lists what each package may import of ours, directly. It is section 2
// of the design: what a package may reach it may reach because a line here says
// so.
var allowed = map[string][]string{
	"":                           {},
	"trace":                      {},
	"signature":                  {"internal/snake"},
	"lm":                         {"trace"},
	"lm/lmtest":                  {"lm"},
	"lm/lmtest/toxiproxy":        {},
	"lm/llamacpp":                {"lm", "internal/gbnf"},
	"lm/openai":                  {"lm", "internal/gbnf"},
	"lm/cache":                   {"lm", "internal/canonical", "internal/wire"},
	"lm/retry":                   {"lm"},
	"lm/limit":                   {"lm"},
	"lm/budget":                  {"lm"},
	"lm/price":                   {"lm"},
	"lm/fallback":                {"lm", "internal/health"},
	"lm/balance":                 {"lm", "internal/health"},
	"lm/router":                  {"lm"},
	"lm/cassette":                {"lm", "internal/canonical", "internal/wire"},
	"internal/canonical":         {"lm"},
	"internal/health":            {"lm"},
	"internal/wire":              {"lm"},
	"lm/langchain":               {"lm"},
	"adapter":                    {"signature", "lm", "trace", "internal/jsonrepair"},
	"module":                     {"adapter", "signature", "lm", "trace", "internal/snake", "internal/normalize"},
	"module/starlark":            {"module", "signature"},
	"assert":                     {"module", "adapter", "signature", "lm", "trace"},
	"internal/normalize":         {},
	"metric":                     {"module", "adapter", "signature", "lm", "trace"},
	"evaluate":                   {"metric", "assert", "module", "adapter", "signature", "lm", "trace"},
	"optimize":                   {"evaluate", "metric", "assert", "module", "adapter", "signature", "lm", "trace", "internal/pyrand", "internal/canonical", "internal/tpe", "internal/factor", "lm/router", "lm/budget", "lm/price"},
	"internal/house":             {},
	"internal/gbnf":              {},
	"internal/snake":             {},
	"internal/pyrand":            {},
	"internal/tpe":               {},
	"internal/bayes":             {},
	"internal/llamaserver":       {},
	"internal/factor":            {},
	"internal/jsonrepair":        {"signature"},
	"internal/gbnf/llamagrammar": {},
	"internal/dspyconform":       {"adapter", "signature", "module", "lm", "lm/lmtest"},
}

// foreign lists what packages may import of other modules: the table of dependencies in the
// README.
var foreign = map[string][]string{
	"signature":          {"github.com/santhosh-tekuri/jsonschema/v6", "github.com/santhosh-tekuri/jsonschema/v6/kind"},
	"internal/gbnf":      {"github.com/santhosh-tekuri/jsonschema/v6"},
	"internal/normalize": {"golang.org/x/text/unicode/norm"},
	"internal/factor":    {"gonum.org/v1/gonum/blas", "gonum.org/v1/gonum/blas/blas64", "gonum.org/v1/gonum/mat"},
	"optimize":           {"golang.org/x/sync/errgroup"},
	"lm/cache":           {"modernc.org/sqlite"},
	"lm/langchain":       {"github.com/tmc/langchaingo/llms"},
	"module/starlark":    {"go.starlark.net/lib/json", "go.starlark.net/lib/math", "go.starlark.net/resolve", "go.starlark.net/starlark", "go.starlark.net/syntax"},
}

// TestImports reads the files themselves, so that those behind a build tag or of
// another system count, too.
func TestImports(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range tree(t) {
		if !f.isGo() || f.isTest() || f.isProgram() {
			continue
		}
		name := strings.TrimPrefix(path.Dir(f.path), ".")
		seen[name] = true
		for _, problem := range wrongImports(t, name, f) {
			t.Error(problem)
		}
	}
	for name := range seen {
		if _, ok := allowed[name]; !ok {
			t.Errorf("package %s is not in the table of this test; add it where the design has it", name)
		}
	}
	if len(seen) < 8 {
		t.Fatalf("only %d packages were seen, so the test saw nothing", len(seen))
	}
}

// wrongImports says which imports of a file its package may not have.
func wrongImports(t *testing.T, pkg string, f file) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.data, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, imp := range parsed.Imports {
		name, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, ok := strings.CutPrefix(name, root+"/"); ok && !slices.Contains(allowed[pkg], ours) {
			problems = append(problems, f.path+" imports "+ours+", which points the wrong way (may import "+strings.Join(allowed[pkg], ", ")+")")
		} else if host, _, _ := strings.Cut(name, "/"); !ok && strings.Contains(host, ".") && !slices.Contains(foreign[pkg], name) {
			problems = append(problems, f.path+" imports "+name+", which the table of dependencies in the README does not have there; add it to both, with its reason")
		}
	}
	return problems
}

func TestWrongImports(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ pkg, src, want string }{
		{"module", `import "` + root + `/adapter"`, ""},
		{"module", `import "modernc.org/sqlite"`, "modernc.org/sqlite"},
		{"lm/cache", `import _ "modernc.org/sqlite"`, ""},
		{"lm", `import "` + root + `/module"`, "module"},
		{"lm/llamacpp", "import (\n\"C\"\nx \"" + root + "/adapter\"\n)", "adapter"},
	} {
		f := file{path: tt.pkg + "/a.go", data: []byte("//go:build llamacpp\n\npackage p\n" + tt.src)}
		got := wrongImports(t, tt.pkg, f)
		if (tt.want == "") != (got == nil) || tt.want != "" && !strings.Contains(got[0], "imports "+tt.want+",") {
			t.Errorf("%s with %s: %q, want %q", tt.pkg, tt.src, got, tt.want)
		}
	}
}

package house_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const root = "github.com/whetgo/whet"

// allowed lists what each package may import of ours, directly. It is section 2
// of the design: what a package may reach it may reach because a line here says
// so.
var allowed = map[string][]string{
	"":                {},
	"trace":           {},
	"signature":       {"internal/snake"},
	"lm":              {"trace"},
	"lm/lmtest":       {"lm"},
	"lm/llamacpp":     {"lm"},
	"adapter":         {"signature", "lm", "trace"},
	"module":          {"adapter", "signature", "lm", "trace", "internal/snake"},
	"metric":          {"module", "adapter", "signature", "lm", "trace"},
	"evaluate":        {"metric", "module", "adapter", "signature", "lm", "trace"},
	"optimize":        {"evaluate", "metric", "module", "adapter", "signature", "lm", "trace", "internal/pyrand"},
	"internal/house":  {},
	"internal/snake":  {},
	"internal/pyrand": {},
}

func TestImports(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", root+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(strings.TrimPrefix(pkg.ImportPath, root), "/")
		if strings.HasPrefix(name, "examples/") || strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "internal/cmd/") {
			continue
		}
		seen++
		may, ok := allowed[name]
		if !ok {
			t.Errorf("package %s is not in the table of this test; add it where the design has it", name)
			continue
		}
		for _, imp := range pkg.Imports {
			ours, ok := strings.CutPrefix(imp, root+"/")
			if ok && !slices.Contains(may, ours) {
				t.Errorf("package %s imports %s, which points the wrong way (may import %s)", name, ours, strings.Join(may, ", "))
			}
		}
	}
	if seen < 8 {
		t.Fatalf("only %d packages were seen, so the test saw nothing", seen)
	}
}

package openai_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxBinary is how many bytes a stripped program may have that asks a model over HTTP.
const maxBinary = 9_000_000

func TestBinarySize(t *testing.T) {
	t.Parallel()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command to build with")
	}
	path := filepath.Join(t.TempDir(), "hello")
	build := exec.CommandContext(t.Context(), goTool, "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./testdata/hello")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() > maxBinary {
		t.Errorf("the program has %d bytes, and may have %d", info.Size(), maxBinary)
	}
}

// What a program links that uses this backend: of other modules, the validator of JSON
// Schemas alone.
func TestDependencies(t *testing.T) {
	t.Parallel()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command to ask")
	}
	out, err := exec.CommandContext(t.Context(), goTool, "list", "-deps", "-f", "{{if .Module}}{{.Module.Path}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{"github.com/whetgo/whet": true, "github.com/santhosh-tekuri/jsonschema/v6": true, "golang.org/x/text": true}
	for line := range strings.FieldsSeq(string(out)) {
		if !allowed[line] {
			t.Errorf("the package links %s", line)
		}
	}
}

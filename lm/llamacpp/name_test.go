package llamacpp

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilePath(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"model.gguf":               "model.gguf",
		"/models/model.gguf":       "/models/model.gguf",
		"llamacpp:model.gguf":      "model.gguf",
		"llamacpp:/models/m.gguf":  "/models/m.gguf",
		"./llamacpp:model.gguf":    "./llamacpp:model.gguf",
		"llamacpp:llamacpp:m.gguf": "llamacpp:m.gguf",
		"llamacpp":                 "llamacpp",
		"ollama:model.gguf":        "ollama:model.gguf",
	} {
		if got, err := filePath(name); err != nil || got != want {
			t.Errorf("%q is the file %q (%v), want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"", "llamacpp:"} {
		if _, err := filePath(name); err == nil || !strings.Contains(err.Error(), "GGUF file") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// The error of a file that is not there says that nothing is downloaded and how to get
// one.
func TestMissingFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none.gguf"):                         "make models",
		filepath.Join(dir, "m.gguf:sha256:0123456789ab"):        "Name method",
		filepath.Join(dir, "no", "directory", "whatever.safet"): "nothing is ever downloaded",
	} {
		err := missingFile(path, checkFile(path))
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if err := missingFile(dir, checkFile(dir)); err == nil || strings.Contains(err.Error(), "downloaded") {
		t.Errorf("a directory: %v", err)
	}
}

func TestModelName(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("0123456789abcdef", 4)
	for w, want := range map[WeightType]string{
		WeightsAsShipped: "llamacpp:m.gguf:sha256:0123456789ab",
		WeightsBF16:      "llamacpp:m.gguf:sha256:0123456789ab+bf16",
		WeightsQ8_0:      "llamacpp:m.gguf:sha256:0123456789ab+q8_0",
	} {
		if got := modelName(filepath.Join("models", "m.gguf"), hash, w); got != want {
			t.Errorf("%s: %s, want %s", w, got, want)
		}
	}
}

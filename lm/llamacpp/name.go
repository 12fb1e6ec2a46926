package llamacpp

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// filePath returns the path of the file that a model's name names: the name without
// the prefix of this package, if it has it.
func filePath(name string) (string, error) {
	path, _ := strings.CutPrefix(name, provider+":")
	if path == "" {
		return "", fmt.Errorf("the name %q has no file: give the path of a GGUF file, with %s: before it or without", name, provider)
	}
	return path, nil
}

// missingFile adds to the error of a file that is not there how to get one: a name looks as
// if it might be fetched.
func missingFile(path string, err error) error {
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case strings.Contains(path, ":sha256:"):
		return fmt.Errorf("%w: this is what a model is called by its Name method; give the path of its file", err)
	}
	return fmt.Errorf("%w: nothing is ever downloaded by Open; give the path of any GGUF file, or run `make models` in whet's repository, which fetches two small ones", err)
}

// modelName is what a model is known by: its answers depend on the file and, a little,
// on the form of the weights.
func modelName(path, hash string, w WeightType) string {
	name := provider + ":" + filepath.Base(path) + ":sha256:" + hash[:12]
	if w != WeightsAsShipped {
		name += "+" + string(w)
	}
	return name
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

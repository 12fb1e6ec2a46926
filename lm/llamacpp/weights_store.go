package llamacpp

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// weightStore is the folder of one model file in the cache:
//
//	DIR/weights/SHA256/bf16.gguf         the file with other weights
//	DIR/weights/SHA256/bf16.json         its record, without which it does not count
//	DIR/weights/SHA256/verdict-KEY.json  what a trial found
//	DIR/weights/SHA256/lock
//	DIR/weights/SHA256/tmp-*             work in progress, or of a process that was killed
//
// All but the lock is written under another name and put into place whole. A process
// that reads needs no lock: what it finds is whole and is checked.
type weightStore struct {
	dir  string
	hash string // sha256 of the file as shipped
}

// A temporary file that nobody can have locked is left alone until it is this old.
const tmpAge = 24 * time.Hour

// cacheRoot is the directory that an option or the system names.
func cacheRoot(option string) (string, error) {
	if option != "" {
		return option, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w; name a directory with CacheDir", err)
	}
	return filepath.Join(dir, "whet"), nil
}

func newWeightStore(root, hash string) weightStore {
	return weightStore{dir: filepath.Join(root, "weights", hash), hash: hash}
}

func (s weightStore) path(w WeightType) string { return filepath.Join(s.dir, string(w)+".gguf") }

// weightRecord is what is kept of a rewritten file.
type weightRecord struct {
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Source string `json:"source"` // sha256 of the file it was made of
	Llama  string `json:"llama.cpp"`
}

// find returns the path of the rewritten file if it is there and still what was checked
// when it was put there.
func (s weightStore) find(f form) (string, bool) {
	data, err := os.ReadFile(s.record(f))
	if err != nil {
		return "", false
	}
	var r weightRecord
	path := s.path(f.weights)
	if json.Unmarshal(data, &r) != nil || r.Source != s.hash {
		return "", false
	}
	if st, err := os.Stat(path); err != nil || st.Size() != r.Bytes {
		return "", false
	}
	if hash, err := hashFile(path); err != nil || hash != r.SHA256 {
		return "", false
	}
	return path, true
}

func (s weightStore) record(f form) string { return filepath.Join(s.dir, string(f.weights)+".json") }

// lock makes the folder, waits for other processes and removes what those that were
// killed have left.
func (s weightStore) lock() (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return nil, err
	}
	unlock, locked := lockFile(filepath.Join(s.dir, "lock"))
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		unlock()
		return nil, err
	}
	for _, e := range entries {
		st, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), "tmp-") && (locked || time.Since(st.ModTime()) > tmpAge) {
			_ = os.RemoveAll(filepath.Join(s.dir, e.Name())) // what stays only takes room
		}
	}
	return unlock, nil
}

// workspace makes a folder for work in progress.
func (s weightStore) workspace() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp(s.dir, "tmp-")
	if err != nil {
		return "", nil, err
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil // the next lock removes what stays
}

// keep puts a file that was just made into place, and its record.
func (s weightStore) keep(f form, made, llama string) (string, error) {
	hash, err := hashFile(made)
	if err != nil {
		return "", err
	}
	st, err := os.Stat(made)
	if err != nil {
		return "", err
	}
	path := s.path(f.weights)
	if err := os.Rename(made, path); err != nil {
		return "", err
	}
	return path, s.writeJSON(s.record(f), weightRecord{SHA256: hash, Bytes: st.Size(), Source: s.hash, Llama: llama})
}

func (s weightStore) writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, "tmp-*.json")
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error tells
	}
	return err
}

package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/whetgo/whet/internal/canonical"
	"github.com/whetgo/whet/lm"
)

// key is what an answer is known by: the hash of the model's name and the request.
type key [sha256.Size]byte

func keyOf(model string, r *lm.Request) key {
	d := canonical.Request(r, false)
	b := make([]byte, 0, 128)
	b = appendText(b, model)
	return sha256.Sum256(append(b, d[:]...))
}

func (k key) String() string { return hex.EncodeToString(k[:]) }

// checksum is that of a row of the file. It takes key, model and rollout from the request
// where there is one, so that a row which got under another's key does not match.
func checksum(key, model string, rollout int64, fingerprint, created, response string) string {
	b := make([]byte, 0, 256+len(model)+len(response))
	b = append(b, "whet answer store, entry 1\n"...)
	b = appendText(b, key)
	b = appendText(b, model)
	b = binary.LittleEndian.AppendUint64(b, uint64(rollout))
	b = appendText(b, fingerprint)
	b = appendText(b, created)
	b = appendText(b, response)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// appendText appends a text behind its length, so that no two lists of texts give the same
// bytes.
func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

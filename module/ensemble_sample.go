package module

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/whetgo/whet/signature"
)

// sample returns the indexes of size of n members in order, always the same ones for the
// same input: those with the smallest hashes of input and index. A size of 0 is all.
func sample(in any, n, size int) ([]int, error) {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if size == 0 || size == n {
		return all, nil
	}
	data, err := inputBytes(in)
	if err != nil {
		return nil, err
	}
	hashes := make([][sha256.Size]byte, n)
	for i := range hashes {
		hashes[i] = sha256.Sum256(append(data[:len(data):len(data)], strconv.Itoa(i)...))
	}
	slices.SortStableFunc(all, func(a, b int) int { return bytes.Compare(hashes[a][:], hashes[b][:]) })
	all = all[:size]
	slices.Sort(all)
	return all, nil
}

// inputBytes writes an input, the same for the same values.
func inputBytes(in any) ([]byte, error) {
	rec, err := signature.Encode(in)
	if err == nil {
		data, err := rec.MarshalJSON()
		return append(data, '\n'), err
	}
	data, jsonErr := json.Marshal(in)
	if jsonErr != nil {
		return nil, fmt.Errorf("Voting.Size draws members by the input, which cannot be written down: %w", err)
	}
	return append(data, '\n'), nil
}

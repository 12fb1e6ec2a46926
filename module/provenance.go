package module

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/whetgo/whet/signature"
)

// Provenance says where a saved program came from. It holds no time, count or
// cost, so that the same search writes the same bytes.
type Provenance struct {
	// Data names the rows that chose the program, and DataHash identifies them: see
	// the function [DataHash].
	Data     string `json:"data,omitempty"`
	DataHash string `json:"data_hash,omitempty"`
	// Interval says how sure the score is, where that was worked out.
	Interval *ScoreInterval `json:"interval,omitempty"`
	// Metric names the metric or objective behind Score.
	Metric string `json:"metric,omitempty"`
	// Model identifies the model that the program was made for, as lm.NameOf does:
	// the hash of a model file, or a provider's name for the model.
	Model string `json:"model,omitempty"`
	// Optimizer names the optimizer and its settings.
	Optimizer string `json:"optimizer,omitempty"`
	// Score is the score on those rows.
	Score float64 `json:"score"`
	// Seed is the search's seed.
	Seed int64 `json:"seed"`
}

// ScoreInterval is the range in which a score lies with the probability Level, for
// example 0.95.
type ScoreInterval struct {
	High  float64 `json:"high"`
	Level float64 `json:"level"`
	Low   float64 `json:"low"`
}

// DataHash identifies rows by what they hold, in their order; their IDs, and with
// them the names of files, do not count. It returns an error for a row that is no
// record of fields.
func DataHash[In, Out any](rows []Example[In, Out]) (string, error) {
	h := sha256.New()
	for i, row := range rows {
		in, err := signature.Encode(row.In)
		if err != nil {
			return "", fmt.Errorf("module: hashing row %d: %w", i, err)
		}
		out, err := signature.Encode(row.Out)
		if err != nil {
			return "", fmt.Errorf("module: hashing row %d: %w", i, err)
		}
		line, err := signature.MarshalValue([]signature.Value{in, out})
		if err != nil {
			return "", fmt.Errorf("module: hashing row %d: %w", i, err)
		}
		h.Write(append(line, '\n')) // a hash never fails
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

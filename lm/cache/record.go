package cache

import (
	"encoding/json"
	"fmt"

	"github.com/whetgo/whet/internal/wire"
	"github.com/whetgo/whet/lm"
)

// recordVersion is the version of the JSON of a response.
const recordVersion = 1

// record is a response as JSON: every field but Cached. Its usage is what the answer cost
// when it was paid, which a hit does not repeat.
type record struct {
	Version int `json:"version"`
	wire.Response
}

// encodeResponse returns the JSON of a response.
func encodeResponse(r *lm.Response) (string, error) {
	rec := record{recordVersion, *wire.FromResponse(r)}
	rec.Cached = false
	return plainJSON(rec)
}

// decodeResponse is the inverse of encodeResponse. It takes any bytes.
func decodeResponse(data string) (*lm.Response, error) {
	var rec record
	if err := json.Unmarshal([]byte(data), &rec); err != nil {
		return nil, err
	}
	if rec.Version != recordVersion {
		return nil, fmt.Errorf("the response is of version %d, and this program reads version %d", rec.Version, recordVersion)
	}
	rec.Cached = false
	return rec.LM(), nil
}

// plainJSON encodes v without the escapes that only HTML needs.
func plainJSON(v any) (string, error) {
	data, err := wire.Marshal(v)
	return string(data), err
}

package cassette

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/whetgo/whet/internal/canonical"
	"github.com/whetgo/whet/internal/wire"
	"github.com/whetgo/whet/lm"
)

// version is that of the format that is written, and the newest that is read.
const version = 1

// header is the first line of a cassette.
type header struct {
	Cassette *int `json:"cassette"`
}

// line is a line of a cassette: a call.
type line struct {
	// Model is the LM's name, where it has one.
	Model    text      `json:"model,omitempty"`
	Request  request   `json:"request"`
	Response *response `json:"response,omitempty"`
	Error    *failure  `json:"error,omitempty"`
}

// encodeHeader returns the first line, with its end.
func encodeHeader() []byte { return fmt.Appendf(nil, "{\"cassette\":%d}\n", version) }

// decodeHeader returns the version that a first line names. The rest of it may be anything:
// it may be that of a newer version.
func decodeHeader(data []byte) (int, error) {
	var h header
	if err := json.Unmarshal(data, &h); err != nil {
		return 0, err
	}
	if h.Cassette == nil || *h.Cassette < 1 {
		return 0, errors.New(`it is no cassette: the first line must be {"cassette":1}`)
	}
	return *h.Cassette, nil
}

// encodeLine returns a line with its end.
func encodeLine(l *line) ([]byte, error) {
	data, err := wire.Marshal(l)
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// decodeLine reads a line that holds a call, with or without its end.
func decodeLine(data []byte) (*line, error) {
	var l line
	if err := wire.Unmarshal(data, &l); err != nil {
		return nil, err
	}
	if (l.Response == nil) == (l.Error == nil) {
		return nil, errors.New("a line must have a response or an error, and not both")
	}
	if _, err := l.Request.lm(); err != nil {
		return nil, fmt.Errorf("in the request: %w", err)
	}
	if l.Error != nil {
		if _, err := l.Error.lm(); err != nil {
			return nil, fmt.Errorf("in the error: %w", err)
		}
	}
	return &l, nil
}

// key returns what a request is known by. The request must have been scrubbed.
func (l *line) key() (canonical.Digest, error) {
	r, err := l.Request.lm()
	if err != nil {
		return canonical.Digest{}, err
	}
	return canonical.Request(r, false), nil
}

// reply returns what came of the call.
func (l *line) reply() (*lm.Response, error) {
	if l.Error == nil {
		return l.Response.LM(), nil
	}
	replayed, err := l.Error.lm()
	if err != nil {
		return nil, err
	}
	return nil, replayed
}

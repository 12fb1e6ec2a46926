package cassette

import "github.com/whetgo/whet/internal/wire"

// What a line has in common with the files of other packages. A text is the only thing in
// a cassette that is scrubbed.
type (
	text     = wire.Text
	number   = wire.Number
	response = wire.Response
	toolCall = wire.ToolCall
)

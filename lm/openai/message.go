package openai

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/whetgo/whet/lm"
)

// messages writes a conversation. plain makes text of a text: see special.go.
func (c *client) messages(in []lm.Message, plain func(string) string) ([]map[string]any, error) {
	out := make([]map[string]any, len(in))
	for i, m := range in {
		w := map[string]any{"role": string(m.Role)}
		switch m.Role {
		case lm.RoleSystem, lm.RoleUser, lm.RoleAssistant, lm.RoleTool:
		default:
			return nil, c.failure(lm.ErrInvalidRequest, "message %d has the role %q; there are system, user, assistant and tool", i, string(m.Role))
		}
		content, err := c.content(i, m.Parts, plain)
		if err != nil {
			return nil, err
		}
		w["content"] = content
		if m.Role == lm.RoleTool {
			w["tool_call_id"] = m.ToolCallID
		}
		if len(m.ToolCalls) > 0 {
			w["tool_calls"] = toolCalls(m.ToolCalls, plain)
			if len(m.Parts) == 0 {
				w["content"] = nil
			}
		}
		out[i] = w
	}
	return out, nil
}

func toolCalls(calls []lm.ToolCall, plain func(string) string) []map[string]any {
	out := make([]map[string]any, len(calls))
	for i, call := range calls {
		arguments := plain(call.Arguments)
		if arguments == "" {
			arguments = "{}"
		}
		out[i] = map[string]any{"id": call.ID, "type": "function", "function": map[string]any{"name": call.Name, "arguments": arguments}}
	}
	return out
}

// content writes the parts of a message: as one text where there is nothing else.
func (c *client) content(at int, parts []lm.Part, plain func(string) string) (any, error) {
	blobs := false
	for _, p := range parts {
		blobs = blobs || p.Blob != nil
	}
	if !blobs {
		return plain(lm.Message{Parts: parts}.Text()), nil
	}
	out := make([]map[string]any, len(parts))
	for i, p := range parts {
		if p.Blob == nil {
			out[i] = map[string]any{"type": "text", "text": plain(p.Text)}
			continue
		}
		w, why := blob(p.Blob)
		if why != "" {
			return nil, c.failure(lm.ErrUnsupported, "part %d of message %d: %s", i, at, why)
		}
		out[i] = w
	}
	return out, nil
}

// blob writes a picture, a sound or a file, or says why it cannot be.
func blob(b *lm.Blob) (w map[string]any, why string) {
	switch b.Kind {
	case lm.BlobImage:
		uri := dataURI(b)
		if uri == "" {
			return nil, "a picture is given by its data or its address, and not by the ID of a file"
		}
		return map[string]any{"type": "image_url", "image_url": map[string]any{"url": uri}}, ""
	case lm.BlobAudio:
		mime, data, ok := encoded(b)
		if !ok {
			return nil, "a sound is given by its data, and not by an address or the ID of a file"
		}
		return map[string]any{"type": "input_audio", "input_audio": map[string]any{"data": data, "format": audioFormat(mime)}}, ""
	case lm.BlobFile:
		if b.ID != "" {
			return map[string]any{"type": "file", "file": map[string]any{"file_id": b.ID}}, ""
		}
		if _, _, ok := encoded(b); !ok {
			return nil, "a file is given by its data or by its ID, and not by an address"
		}
		file := map[string]any{"file_data": dataURI(b)}
		if b.Name != "" {
			file["filename"] = b.Name
		}
		return map[string]any{"type": "file", "file": file}, ""
	}
	return nil, "the blob is no picture, no sound and no file"
}

// dataURI is the blob's URI. A type that is not known is found in the data, as no server
// takes data without one.
func dataURI(b *lm.Blob) string {
	if b.URL == "" && b.Data != nil && b.MIME == "" {
		with := *b
		with.MIME, _, _ = strings.Cut(http.DetectContentType(b.Data), ";")
		return with.URI()
	}
	return b.URI()
}

// encoded returns the type and the base64 of a blob that holds its data.
func encoded(b *lm.Blob) (mime, data string, ok bool) {
	rest, ok := strings.CutPrefix(dataURI(b), "data:")
	if !ok {
		return "", "", false
	}
	head, data, ok := strings.Cut(rest, ",")
	if !ok {
		return "", "", false
	}
	mime, parameters, _ := strings.Cut(head, ";")
	if parameters != "base64" && !strings.HasSuffix(parameters, ";base64") {
		text, err := url.PathUnescape(data)
		if err != nil {
			return "", "", false
		}
		data = base64.StdEncoding.EncodeToString([]byte(text))
	}
	return mime, data, true
}

// audioFormat returns OpenAI's word for a media type of sounds.
func audioFormat(mime string) string {
	_, sub, _ := strings.Cut(strings.ToLower(mime), "/")
	switch sub = strings.TrimPrefix(sub, "x-"); sub {
	case "wave", "vnd.wave", "":
		return "wav"
	case "mpeg", "mpeg3":
		return "mp3"
	}
	return sub
}

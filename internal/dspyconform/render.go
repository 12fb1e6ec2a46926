package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// Both sides' messages are compared as texts, one for each message: the role and
// then the parts of the content, each behind a line that says what it is.

// render returns the messages that an adapter sends.
func render(a adapter.Adapter, sig *signature.Signature, demos []signature.Record, in signature.Record) ([]string, *lm.Request, error) {
	t, err := a.Prepare(adapter.Program{Signature: sig, Demos: demos})
	if err != nil {
		return nil, nil, err
	}
	req, err := t.Request(in)
	if err != nil {
		return nil, nil, err
	}
	return messagesOf(req.Messages), req, nil
}

func messagesOf(messages []lm.Message) []string {
	out := make([]string, len(messages))
	for i, m := range messages {
		var b strings.Builder
		b.WriteString(string(m.Role))
		for _, p := range m.Parts {
			if p.Blob == nil {
				b.WriteString("\ntext: " + p.Text)
				continue
			}
			b.WriteString("\n" + blobText(p.Blob))
		}
		out[i] = b.String()
	}
	return out
}

func blobText(b *lm.Blob) string {
	switch b.Kind {
	case lm.BlobImage:
		return "image: " + b.URI()
	case lm.BlobAudio:
		return "audio: " + b.URI()
	}
	return fmt.Sprintf("file: %q %q %q", b.URI(), b.ID, b.Name)
}

// dspyMessages reads what DSPy sends.
func dspyMessages(raw json.RawMessage) ([]string, error) {
	var messages []struct {
		Role    string
		Content json.RawMessage
	}
	if err := json.Unmarshal(raw, &messages); err != nil {
		return nil, err
	}
	out := make([]string, len(messages))
	for i, m := range messages {
		var text string
		if json.Unmarshal(m.Content, &text) == nil {
			out[i] = m.Role + "\ntext: " + text
			continue
		}
		var parts []struct {
			Type, Text string
			Image      struct{ URL string }          `json:"image_url"`
			Audio      struct{ Data, Format string } `json:"input_audio"`
			File       map[string]string             `json:"file"`
		}
		if err := json.Unmarshal(m.Content, &parts); err != nil {
			return nil, err
		}
		var b strings.Builder
		b.WriteString(m.Role)
		for _, p := range parts {
			switch p.Type {
			case "text":
				b.WriteString("\ntext: " + p.Text)
			case "image_url":
				b.WriteString("\nimage: " + p.Image.URL)
			case "input_audio":
				b.WriteString("\naudio: data:audio/" + p.Audio.Format + ";base64," + p.Audio.Data)
			case "file":
				fmt.Fprintf(&b, "\nfile: %q %q %q", p.File["file_data"], p.File["file_id"], p.File["filename"])
			default:
				b.WriteString("\n" + p.Type + "?")
			}
		}
		out[i] = b.String()
	}
	return out, nil
}

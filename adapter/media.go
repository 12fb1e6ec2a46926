package adapter

import (
	"errors"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// blobOf returns an image, a sound or a file as it goes into a message.
func blobOf(k signature.Kind, r signature.Record) (*lm.Blob, error) {
	get := func(name string) string {
		v, _ := r.Get(name)
		s, _ := v.(string)
		return s
	}
	switch k {
	case signature.KindImage:
		url := get("url")
		if !strings.HasPrefix(url, "data:") && !isAddress(url) {
			return nil, errors.New("an image is a data URI or an http, https or gs address; for a picture of your own use signature.DataURI")
		}
		return uriBlob(lm.BlobImage, url), nil
	case signature.KindAudio:
		return uriBlob(lm.BlobAudio, "data:audio/"+get("audio_format")+";base64,"+get("data")), nil
	default:
		b := uriBlob(lm.BlobFile, get("file_data"))
		b.ID, b.Name = get("file_id"), get("filename")
		return b, nil
	}
}

// isAddress reports whether a text is an address that a provider may fetch from.
func isAddress(s string) bool {
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	return ok && rest != "" && rest[0] != '/' && (scheme == "http" || scheme == "https" || scheme == "gs")
}

// uriBlob takes the bytes out of a data URI where they can be put back in exactly.
func uriBlob(k lm.BlobKind, uri string) *lm.Blob {
	if mime, data, ok := signature.SplitDataURI(uri); ok && len(data) > 0 && signature.DataURI(mime, data) == uri {
		return &lm.Blob{Kind: k, MIME: mime, Data: data}
	}
	mime := ""
	if rest, ok := strings.CutPrefix(uri, "data:"); ok {
		mime = rest[:max(0, strings.IndexAny(rest, ";,"))]
	}
	return &lm.Blob{Kind: k, MIME: mime, URL: uri}
}

// DSPy writes what is no text between these identifiers, and cuts user messages at
// them afterwards. In other messages, and in its files, they stay.
const (
	mediaOpen  = "<<CUSTOM-TYPE-START-IDENTIFIER>>"
	mediaClose = "<<CUSTOM-TYPE-END-IDENTIFIER>>"
)

// mediaText writes an image, a sound or a file as DSPy does where it must be text.
func mediaText(k signature.Kind, r signature.Record) (string, error) {
	var block signature.Record
	switch k {
	case signature.KindImage:
		url, _ := r.Get("url")
		block = signature.RecordOf("type", "image_url", "image_url", signature.RecordOf("url", url))
	case signature.KindAudio:
		data, _ := r.Get("data")
		format, _ := r.Get("audio_format")
		block = signature.RecordOf("type", "input_audio", "input_audio", signature.RecordOf("data", data, "format", format))
	default:
		var file signature.Record
		for _, name := range []string{"file_data", "file_id", "filename"} {
			if v, _ := r.Get(name); v != nil && v != "" {
				file = file.With(name, v)
			}
		}
		block = signature.RecordOf("type", "file", "file", file)
	}
	text, err := signature.MarshalPython([]signature.Value{block})
	return mediaOpen + text + mediaClose, err
}

// readMediaText reads what mediaText wrote, as demos in DSPy's files hold it.
func readMediaText(k signature.Kind, text string) (signature.Record, bool) {
	text, ok := strings.CutPrefix(text, mediaOpen)
	if !ok {
		return signature.Record{}, false
	}
	if text, ok = strings.CutSuffix(text, mediaClose); !ok {
		return signature.Record{}, false
	}
	v, err := signature.ParseValue([]byte(text))
	blocks, _ := v.([]signature.Value)
	if err != nil || len(blocks) != 1 {
		return signature.Record{}, false
	}
	block, _ := blocks[0].(signature.Record)
	inside := func(name string) (signature.Record, bool) {
		v, _ := block.Get(name)
		r, ok := v.(signature.Record)
		return r, ok
	}
	switch k {
	case signature.KindImage:
		return inside("image_url")
	case signature.KindAudio:
		r, ok := inside("input_audio")
		data, _ := r.Get("data")
		format, _ := r.Get("format")
		return signature.RecordOf("data", data, "audio_format", format), ok
	default:
		return inside("file")
	}
}

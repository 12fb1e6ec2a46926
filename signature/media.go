package signature

import (
	"encoding/base64"
	"strings"
)

// Image is a picture that goes into a model as it is, not as text: a field of this
// type becomes a part of the message of its own.
type Image struct {
	// URL is where the picture is, http, https or gs, or the picture itself as a
	// data URI: see [DataURI].
	URL string `json:"url"`
}

// Audio is a sound.
type Audio struct {
	// Data is the sound in base64, Format its form, such as "wav" or "mp3".
	Data   string `json:"data"`
	Format string `json:"audio_format"`
}

// File is a document, given by its content or by an id under which the provider
// has it already. One of Data and ID must be set.
type File struct {
	// Data is the content as a data URI: see [DataURI].
	Data string `json:"file_data"`
	// ID is the provider's.
	ID string `json:"file_id"`
	// Name is shown to the model; it may be empty.
	Name string `json:"filename"`
}

// DataURI writes bytes of a media type, such as "image/png", as a URI that holds
// them.
func DataURI(mediaType string, data []byte) string {
	return "data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// SplitDataURI returns the media type and the bytes of a data URI in base64, and
// whether it was one.
func SplitDataURI(uri string) (mediaType string, data []byte, ok bool) {
	rest, ok := strings.CutPrefix(uri, "data:")
	if !ok {
		return "", nil, false
	}
	mediaType, text, ok := strings.Cut(rest, ";base64,")
	if !ok {
		return "", nil, false
	}
	data, err := base64.StdEncoding.DecodeString(text)
	return mediaType, data, err == nil
}

// record writes the values of the types of this package as records, without the
// fields that are empty where those may be.
func (i Image) record() Record { return RecordOf("url", i.URL) }
func (a Audio) record() Record { return RecordOf("data", a.Data, "audio_format", a.Format) }

func (f File) record() Record {
	var r Record
	for _, p := range [][2]string{{"file_data", f.Data}, {"file_id", f.ID}, {"filename", f.Name}} {
		if p[1] != "" {
			r = r.With(p[0], p[1])
		}
	}
	return r
}

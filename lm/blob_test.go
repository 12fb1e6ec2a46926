package lm_test

import (
	"testing"

	"github.com/whetgo/whet/lm"
)

func TestBlobURI(t *testing.T) {
	t.Parallel()
	for want, b := range map[string]lm.Blob{
		"data:image/png;base64,AQI=": {MIME: "image/png", Data: []byte{1, 2}},
		"data:text/plain;base64,":    {Kind: lm.BlobFile, MIME: "text/plain", Data: []byte{}},
		"https://x.test/a.png":       {URL: "https://x.test/a.png"},
		"":                           {Kind: lm.BlobFile, ID: "file-1"},
	} {
		if got := b.URI(); got != want {
			t.Errorf("%+v: URI %q, want %q", b, got, want)
		}
	}
}

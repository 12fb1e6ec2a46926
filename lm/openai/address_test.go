package openai

import (
	"errors"
	"net/http"
	"net/netip"
	"testing"

	"github.com/whetgo/whet/lm"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	// who may be called: by anybody, with AllowLinkLocal, with Untrusted
	for address, want := range map[string][3]bool{
		"8.8.8.8":                {true, true, true},
		"2001:4860:4860::8888":   {true, true, true},
		"127.0.0.1":              {true, true, false},
		"::1":                    {true, true, false},
		"::ffff:127.0.0.1":       {true, true, false},
		"0.0.0.0":                {true, true, false},
		"0.1.2.3":                {true, true, false},
		"10.1.2.3":               {true, true, false},
		"192.168.1.1":            {true, true, false},
		"100.64.0.1":             {true, true, false},
		"fd12::1":                {true, true, false},
		"224.0.0.1":              {false, true, false},
		"239.1.2.3":              {true, true, false},
		"169.254.169.254":        {false, true, false},
		"::ffff:169.254.169.254": {false, true, false},
		"64:ff9b::a9fe:a9fe":     {false, true, false},
		"2002:a9fe:a9fe::1":      {false, true, false},
		"64:ff9b::808:808":       {true, true, true},
		"fe80::1%eth0":           {false, true, false},
		"ff02::1":                {false, true, false},
		"fd00:ec2::254":          {false, true, false},
		"100.100.100.200":        {false, true, false},
		"168.63.129.16":          {false, true, false},
		"64:ff9b:1::a9fe:a9fe":   {false, true, false},
		"64:ff9b:1::808:808":     {true, true, true},
		"::169.254.169.254":      {false, true, false},
		"::10.0.0.1":             {true, true, false},
		"198.18.0.1":             {true, true, false},
		"192.0.0.8":              {true, true, false},
		"255.255.255.255":        {true, true, false},
		"240.0.0.1":              {true, true, false},
		"fec0::1":                {true, true, false},
	} {
		a := netip.MustParseAddr(address)
		for i, p := range []policy{{}, {allowLinkLocal: true}, {untrusted: true}} {
			if got := p.refuses(a) == ""; got != want[i] {
				t.Errorf("%s under %+v may be called: %v, want %v", address, p, got, want[i])
			}
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		address string
		p       policy
		key     bool
		want    string // "" where it is refused
	}{
		{"https://api.example.invalid/v1/", policy{}, true, "https://api.example.invalid/v1"},
		{"https://api.example.invalid", policy{}, true, "https://api.example.invalid/v1"},
		{" http://127.0.0.1:8080 ", policy{}, true, "http://127.0.0.1:8080/v1"},
		{"http://[::1]:8080/x", policy{}, true, "http://[::1]:8080/x"},
		{"http://localhost:1", policy{}, true, "http://localhost:1/v1"},
		{"http://box", policy{}, false, "http://box/v1"},
		{"http://box", policy{}, true, ""},
		{"http://localhost.example.invalid", policy{}, true, ""},
		{"http://10.0.0.1", policy{}, true, ""},
		{"http://box", policy{allowHTTP: true}, true, "http://box/v1"},
		{"http://169.254.169.254", policy{}, false, ""},
		{"http://169.254.169.254", policy{allowLinkLocal: true}, false, "http://169.254.169.254/v1"},
		{"http://metadata.google.internal/v1", policy{}, false, ""},
		{"http://Metadata.Google.Internal./v1", policy{}, false, ""},
		{"http://localhost:1", policy{untrusted: true}, false, ""},
		{"http://a.LOCALHOST.:1", policy{untrusted: true}, false, ""},
		{"https://api.example.invalid/v1", policy{untrusted: true}, true, "https://api.example.invalid/v1"},
		{"file:///etc/passwd", policy{}, false, ""},
		{"ftp://api.example.invalid", policy{}, false, ""},
		{"api.example.invalid/v1", policy{}, false, ""},
		{"https:api.example.invalid", policy{}, false, ""},
		{"https:///v1", policy{}, false, ""},
		{"https://u:p@api.example.invalid", policy{}, false, ""},
		{"https://api.example.invalid/v1?a=b", policy{}, false, ""},
		{"https://api.example.invalid/v1?", policy{}, false, ""},
		{"https://api.example.invalid/v1#x", policy{}, false, ""},
		{"https://api.example.invalid/%zz", policy{}, false, ""},
	} {
		u, err := tt.p.check(tt.address, tt.key)
		switch {
		case tt.want == "" && !errors.Is(err, lm.ErrInvalidRequest):
			t.Errorf("%s: %v, %v; want an error of kind %q", tt.address, u, err, lm.ErrInvalidRequest)
		case tt.want != "" && (err != nil || u.String() != tt.want):
			t.Errorf("%s: %v, %v; want %s", tt.address, u, err, tt.want)
		}
	}
}

func TestOllamaURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                      "http://127.0.0.1:11434",
		"0.0.0.0":               "http://127.0.0.1:11434",
		"0.0.0.0:8000":          "http://127.0.0.1:8000",
		":8000":                 "http://127.0.0.1:8000",
		"box":                   "http://box:11434",
		"box:8000":              "http://box:8000",
		"http://box":            "http://box",
		"http://box:8000/":      "http://box:8000",
		"https://box/ollama/v1": "https://box/ollama/v1",
		"[::]:8000":             "http://[::1]:8000",
		"[fd12::1]":             "http://[fd12::1]:11434",
		` "box" `:               "http://box:11434",
	} {
		if got := ollamaURL(in); got != want {
			t.Errorf("OLLAMA_HOST=%s is %s, want %s", in, got, want)
		}
	}
}

// TestNamesAreChecked calls a name that leads to this machine.
func TestNamesAreChecked(t *testing.T) {
	t.Parallel()
	p := policy{untrusted: true}
	for address, refused := range map[string]bool{"127.0.0.1:80": true, "[fe80::1%eth0]:80": true, "8.8.8.8:443": false, "/run/socket": false} {
		if err := p.control("tcp", address, nil); errors.Is(err, errRefusedAddress) != refused {
			t.Errorf("%s: %v, want it refused: %v", address, err, refused)
		}
	}
	s := says(t, jsonType, chat("hi"))
	m := open(t, s, "gpt-test")
	// As if a name that had been let in led here now.
	m.http = &http.Client{Transport: newTransport(p)}
	_, err := m.Generate(t.Context(), asks("a"))
	if !errors.Is(err, lm.ErrUnavailable) || !errors.Is(err, errRefusedAddress) || len(s.bodies) != 0 {
		t.Errorf("Generate returned %v after %d requests, want an error of kind %q after none", err, len(s.bodies), lm.ErrUnavailable)
	}
}

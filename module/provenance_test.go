package module_test

import (
	"math"
	"strings"
	"testing"

	"github.com/whetgo/whet/module"
)

func TestDataHash(t *testing.T) {
	t.Parallel()
	row := func(id, text, label string) module.Example[sms, verdict] {
		return module.Example[sms, verdict]{ID: id, In: sms{text}, Out: verdict{label}}
	}
	hash := func(rows ...module.Example[sms, verdict]) string {
		h, err := module.DataHash(rows)
		if err != nil || !strings.HasPrefix(h, "sha256:") || len(h) != len("sha256:")+64 {
			t.Fatalf("DataHash = %q, %v", h, err)
		}
		return h
	}
	a, b := row("1", "one", "ham"), row("2", "two", "spam")
	same := hash(a, b)
	if got := hash(row("x.csv:1", "one", "ham"), b); got != same {
		t.Error("the IDs count")
	}
	for name, other := range map[string]string{
		"order": hash(b, a), "fewer": hash(a), "text": hash(row("1", "One", "ham"), b), "label": hash(row("1", "one", "spam"), b), "none": hash(),
	} {
		if other == same {
			t.Errorf("%s: the hash is the same", name)
		}
	}
	if _, err := module.DataHash([]module.Example[sms, verdict]{a, row("2", "two", "eggs")}); err == nil || !strings.Contains(err.Error(), "row 1") {
		t.Errorf("a row that is no record: %v", err)
	}
}

// The keys whose order means nothing are sorted, and equal provenance has equal
// bytes.
func TestProvenanceInFile(t *testing.T) {
	t.Parallel()
	data := string(marshal(t, newSMS(), module.WithProvenance(module.Provenance{
		Data: "rows", DataHash: "sha256:0", Metric: "acc", Model: "m", Optimizer: "o", Score: 0.5, Seed: 7,
		Interval: &module.ScoreInterval{Low: 0.4, High: 0.6, Level: 0.95},
	})))
	const want = `"metadata": {
    "dependency_versions": {},
    "whet": {
      "provenance": {
        "data": "rows",
        "data_hash": "sha256:0",
        "interval": {
          "high": 0.6,
          "level": 0.95,
          "low": 0.4
        },
        "metric": "acc",
        "model": "m",
        "optimizer": "o",
        "score": 0.5,
        "seed": 7
      },
      "schema": 1
    }
  }
}
`
	if !strings.HasSuffix(data, want) {
		t.Errorf("got\n%s\nwant the end\n%s", data, want)
	}
	if strings.Contains(data, "\r") {
		t.Error("the lines end in CR LF")
	}
	_, err := module.Marshal(newSMS(), module.WithProvenance(module.Provenance{Score: math.NaN()}))
	if err == nil || !strings.Contains(err.Error(), "provenance") {
		t.Errorf("a score that is no number: %v", err)
	}
}

package llamacpp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// trialVersion changes when trials measure or decide otherwise.
	trialVersion = 1
	// gain is the part of the shipped file's time that another form may take.
	gain = 0.9
	// calm is how far apart the repeats of one form may be, as a part of the shortest.
	// Above it other work has run on the machine, and what it added varies.
	calm = 0.25
)

// trialKey is what a verdict holds for.
type trialKey struct {
	Trial   int    `json:"trial"`
	File    string `json:"file"` // sha256
	Threads int    `json:"threads"`
	CPU     string `json:"cpu"`
	Llama   string `json:"llama.cpp"`
}

// verdict is the result of a trial, as it is stored.
type verdict struct {
	Winner WeightType    `json:"winner"`
	Reason string        `json:"reason"`
	Times  []measurement `json:"measured"`
	For    trialKey      `json:"for"`
}

// measurement is a WeightTiming with times in seconds.
type measurement struct {
	Type    WeightType `json:"type"`
	Seconds float64    `json:"seconds"`
	Repeats []float64  `json:"repeats"`
	Bytes   int64      `json:"bytes"`
}

func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e4) / 1e4 }

func duration(s float64) time.Duration {
	return time.Duration(math.Round(s*1e4)) * (time.Second / 10_000)
}

func (k trialKey) name() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%d\n%q\n%q", k.Trial, k.File, k.Threads, k.CPU, k.Llama))
	return "verdict-" + hex.EncodeToString(sum[:6]) + ".json"
}

// readVerdict returns what a trial has found for this key, if it is there and makes
// sense.
func (s weightStore) readVerdict(k trialKey) (verdict, bool) {
	data, err := os.ReadFile(filepath.Join(s.dir, k.name()))
	if err != nil {
		return verdict{}, false
	}
	var v verdict
	if json.Unmarshal(data, &v) != nil || v.For != k {
		return verdict{}, false
	}
	_, rewritten := formOf(v.Winner)
	return v, rewritten || v.Winner == WeightsAsShipped
}

func (s weightStore) writeVerdict(v verdict) error {
	return s.writeJSON(filepath.Join(s.dir, v.For.name()), v)
}

func formOf(w WeightType) (form, bool) {
	i := slices.IndexFunc(forms, func(f form) bool { return f.weights == w })
	if i < 0 {
		return form{}, false
	}
	return forms[i], true
}

// timings returns the measurements as the report has them.
func (v verdict) timings() []WeightTiming {
	var out []WeightTiming
	for _, m := range v.Times {
		t := WeightTiming{Type: m.Type, Bytes: m.Bytes, Time: duration(m.Seconds)}
		for _, r := range m.Repeats {
			t.Repeats = append(t.Repeats, duration(r))
		}
		out = append(out, t)
	}
	return out
}

// judge sets the time that counts of each form and picks one; the first is the file as
// shipped. All are judged by the same measure.
func judge(k trialKey, timings []WeightTiming) verdict {
	noisy := false
	for _, t := range timings {
		shortest := slices.Min(t.Repeats)
		noisy = noisy || float64(slices.Max(t.Repeats)-shortest) > calm*float64(shortest)
	}
	v := verdict{For: k}
	for _, t := range timings {
		sorted := slices.Sorted(slices.Values(t.Repeats))
		m := measurement{Type: t.Type, Bytes: t.Bytes, Seconds: seconds(sorted[len(sorted)/2])}
		if noisy {
			m.Seconds = seconds(sorted[0])
		}
		for _, r := range t.Repeats {
			m.Repeats = append(m.Repeats, seconds(r))
		}
		v.Times = append(v.Times, m)
	}
	best := v.Times[0]
	for _, m := range v.Times {
		if m.Seconds < best.Seconds {
			best = m
		}
	}
	part := best.Seconds / v.Times[0].Seconds
	switch {
	case best.Type == WeightsAsShipped:
		v.Winner, v.Reason = WeightsAsShipped, "no other form was faster in the trial"
	case part > gain:
		v.Winner = WeightsAsShipped
		v.Reason = fmt.Sprintf("the fastest other form, %s, took %.2f of its time in the trial, more than %.1f", best.Type, part, gain)
	default:
		v.Winner, v.Reason = best.Type, fmt.Sprintf("it took %.2f of the time of the file as shipped in the trial", part)
	}
	return v
}

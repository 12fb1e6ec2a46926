package llamacpp

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// WeightType is a form in which a model's weights are computed. Which one is fastest
// depends on the CPU: one multiplies bfloat16 numbers four times as fast as another, and
// some types that save memory have no kernel for many tokens at once.
type WeightType string

// The forms of weights. A weight that is rewritten changes a little, and answers with it.
const (
	// WeightsAuto takes the form that a short trial on this machine found fastest, see
	// [Weights]. It is the default.
	WeightsAuto WeightType = "auto"
	// WeightsAsShipped computes the file as it is.
	WeightsAsShipped WeightType = "as-shipped"
	// WeightsBF16 keeps 8 significant bits of each weight: it changes by 0.4 % at most.
	WeightsBF16 WeightType = "bf16"
	// WeightsF16 keeps 11 significant bits: a weight changes by 0.05 % at most, and those
	// smaller than 6e-5 by 3e-8 at most. Above 65504 there is none; no model is known to
	// have such a weight.
	WeightsF16 WeightType = "f16"
	// WeightsQ8_0 keeps a scale for each 32 weights and 8 bits for each: it changes by
	// 0.4 % of the largest of the 32 at most, which is half a step.
	WeightsQ8_0 WeightType = "q8_0"
)

// Weights chooses the form in which the weights are computed. A form other than the
// file's is written once, by llama.cpp, into the cache (see [CacheDir]); the file itself
// stays as it is. [Model.Name] and so all that is stored under it tells the forms apart.
//
// WeightsAuto, the default, tries the file as it is and as BF16, F16 and Q8_0: once for
// a file, a CPU, a number of threads and a build of llama.cpp. For a small model that
// takes 10 to 20 seconds, once; what was found is stored beside the files. Only forms
// are tried that have no fewer bits than any matrix in the file, and one is taken only
// if it needs at most 9/10 of the time. With 16 bits the answers are nearer to those of
// the exact weights than the shipped file's, whose products llama.cpp rounds to 8 bits;
// with Q8_0 they are about as far. docs/decisions/0006-weight-type.md has the figures.
// There is no trial, and the file is computed as it is,
//
//   - if the model has more than 1.5e9 parameters,
//   - if the largest of the rewritten files would be more than a quarter of the memory
//     or of the disk space that is free, or if the system does not tell: only Linux does,
//   - if layers are on a GPU, see [GPULayers],
//   - if something goes wrong, as on a full disk or without a directory for the cache.
//
// [Model.Weights] says which it was. With a fixed form there is no trial and no limit,
// and it is an error if it cannot be had.
func Weights(w WeightType) Option { return func(c *config) { c.weights = w } }

// CacheDir sets the directory where rewritten weights and the results of trials are
// kept, in its folder weights. It may be shared by processes, deleted when no model is
// being opened, and read-only once it holds what is needed; nothing in it is deleted by
// itself. A rewritten file is used by later builds of llamacpp, too. The default is whet in
// [os.UserCacheDir].
func CacheDir(path string) Option { return func(c *config) { c.cacheDir = path } }

// known reports whether an option names this form.
func (w WeightType) known() bool { return slices.Contains(weightTypes(), w) }

func weightTypes() []WeightType {
	return []WeightType{WeightsAuto, WeightsAsShipped, WeightsBF16, WeightsF16, WeightsQ8_0}
}

func weightTypeNames() string {
	var names []string
	for _, w := range weightTypes() {
		names = append(names, string(w))
	}
	return strings.Join(names, ", ")
}

// WeightReport says in which form a model's weights are computed, and why.
type WeightReport struct {
	// Type is the form: WeightsAsShipped, or what the file was rewritten to.
	Type WeightType
	// Shipped names the types of the weights in the file that was opened, in llama.cpp's
	// words, that of most weights first: for example "Q4_1, Q6_K".
	Shipped string
	// Path is the file that is computed: the one that was opened or one in the cache.
	Path string
	// Reason says in a few words why this form was taken.
	Reason string
	// Timings are those of the trial, the file as shipped first; none without a trial.
	Timings []WeightTiming
	// Stored reports that the trial was not run now but read from the cache.
	Stored bool
}

// WeightTiming is what a trial measured of one form.
type WeightTiming struct {
	Type WeightType
	// Bytes is the size of the file.
	Bytes int64
	// Time is what counts: the median of the repeats, or the shortest where other work
	// on the machine made those of any form differ by more than a quarter.
	Time time.Duration
	// Repeats are the times of the same work, in the order of measurement.
	Repeats []time.Duration
}

// String returns the form, the reason and the times in one line.
func (r WeightReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (shipped: %s): %s", r.Type, r.Shipped, r.Reason)
	separator := "; "
	for _, t := range r.Timings {
		fmt.Fprintf(&b, "%s%s %.3f s", separator, t.Type, t.Time.Seconds())
		separator = ", "
	}
	return b.String()
}

// Weights returns in which form the weights are computed, and why.
func (m *Model) Weights() WeightReport {
	r := m.weights
	r.Timings = slices.Clone(r.Timings)
	return r
}

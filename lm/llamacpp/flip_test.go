//go:build llamacpp

package llamacpp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	cli "flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whetgo/whet/lm"
)

var (
	flipCount = cli.Int("flips", 200, "how many bytes of a header TestHeaderFlips tries")
	flipSeed  = cli.Uint64("flipseed", 6, "which bytes")
)

// flip is a byte of a header that is another.
type flip struct {
	At   int64
	With byte // it is xored with this
}

// What became of a flip.
const (
	flipFound   = "the Go check"        // has found it
	flipRefused = "llama.cpp's refusal" // to load it
	flipFailed  = "a request's error"   // of its type
	flipAnswers = "an answer"
	flipUntyped = "an error without a type"
	flipCrash   = "a crash"
	flipHangs   = "no answer"
)

// flipped is what a child process says of a flip.
type flipped struct {
	flip
	Became, Says string
}

// crashes are the flips after which llama.cpp ends the process, and why the header does
// not show it. There are none.
var crashes = map[flip]string{}

const (
	flipTimeout = time.Minute
	flipFile    = "WHET_TEST_FLIP_FILE" // what the child process opens
)

// A header with a flipped byte is refused with a typed error, or is that of a model that
// still answers; it never ends the process. Each flip is tried in a child process, which
// tries the next one if it lives.
func TestHeaderFlips(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(modelPath(t, models[0].variable))
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/flipped.gguf"
	if err := os.WriteFile(path, source, 0o600); err != nil {
		t.Fatal(err)
	}
	computing.Lock()
	defer computing.Unlock()
	counts := map[string]int{}
	for flips := chooseFlips(t, source, *flipCount, *flipSeed); len(flips) > 0; {
		done := tryFlips(t, path, flips)
		for _, f := range done {
			counts[f.Became]++
			where := fmt.Sprintf("byte %d of the header, %#02x for %#02x", f.At, source[f.At]^f.With, source[f.At])
			switch f.Became {
			case flipUntyped, flipHangs:
				t.Errorf("%s: %s: %s", where, f.Became, f.Says)
			case flipCrash:
				if crashes[f.flip] == "" {
					t.Errorf("%s: %s: %s", where, f.Became, f.Says)
				}
			default:
				t.Logf("%s: %s: %s", where, f.Became, f.Says)
			}
		}
		flips = flips[len(done):]
		restore(t, path, source[:done[len(done)-1].At+1]) // a dead child has not
	}
	t.Logf("%v", counts)
	if counts[flipFound] == 0 || counts[flipAnswers] == 0 {
		t.Error("the flips do not reach both what is checked and what is not")
	}
}

// chooseFlips spreads flips over all parts of a header, of which the lists of the
// tokenizer are the longest by far: half of a part's flips are of one bit. Three are of
// those that llama.cpp would end the process on.
func chooseFlips(t *testing.T, file []byte, count int, seed uint64) []flip {
	t.Helper()
	start := func(name string) int64 { // of an entry: the length of its name stands before it
		at := bytes.Index(file[:4<<20], []byte(name))
		if at < 0 {
			t.Fatalf("no %s in the header", name)
		}
		return int64(at) - 8
	}
	tokens, kinds, merges := start(keyTokens), start("tokenizer.ggml.token_type"), start("tokenizer.ggml.merges")
	tail, tensors, end := start("tokenizer.ggml.bos_token_id"), start("token_embd.weight"), headerEnd(t, file)
	random := rand.New(rand.NewPCG(seed, 0))
	value := func(key string) int64 { return start(key) + 8 + int64(len(key)) + 4 }
	out := []flip{
		{value("llama.block_count") + 1, 2},                           // 512 layers more
		{value("llama.attention.layer_norm_rms_epsilon") + 3, 1 << 7}, // below 0
		{start("!\x01\x00\x00\x00\x00\x00\x00\x00\"") + 8, '!' ^ '"'}, // two tokens with one text
	}
	for _, part := range []struct {
		begin, end int64
		share      int // of 200
	}{
		{0, ggufHead, 20},
		{ggufHead, tokens, 57},
		{tokens, tokens + 64, 6},
		{tokens + 64, kinds, 20},
		{kinds, kinds + 64, 6},
		{kinds + 64, merges, 8},
		{merges, merges + 64, 6},
		{merges + 64, tail, 12},
		{tail, tensors, 20},
		{tensors, end, 42},
	} {
		n := max(count*part.share/200, 1)
		for i := range n {
			width := part.end - part.begin
			from := part.begin + width*int64(i)/int64(n)
			f := flip{At: from + random.Int64N(max(part.begin+width*int64(i+1)/int64(n)-from, 1)), With: byte(1 << random.IntN(8))}
			if i%2 == 1 {
				f.With = byte(1 + random.IntN(255))
			}
			out = append(out, f)
		}
	}
	return out
}

// headerEnd returns where the entries of the tensors end.
func headerEnd(t *testing.T, file []byte) int64 {
	t.Helper()
	g := &ggufReader{r: bufio.NewReader(bytes.NewReader(file)), size: int64(len(file))}
	meta := ggufMeta{values: map[string]ggufValue{}}
	tensors, entries, err := g.head()
	for range entries {
		err = errors.Join(err, meta.read(g))
	}
	for range tensors {
		_, e := g.tensor()
		err = errors.Join(err, e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g.pos
}

// tryFlips returns what became of the flips, up to the first that has ended the child.
func tryFlips(t *testing.T, path string, flips []flip) []flipped {
	t.Helper()
	todo, err := json.Marshal(flips)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var log bytes.Buffer
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFlipChild$")
	child.Env = append(os.Environ(), flipFile+"="+path, "GGML_NO_BACKTRACE=1", "GOTRACEBACK=none")
	child.Stdin, child.Stdout, child.Stderr, child.ExtraFiles = bytes.NewReader(todo), &log, &log, []*os.File{w}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var hung atomic.Bool
	watch := time.AfterFunc(flipTimeout, func() { hung.Store(true); _ = child.Process.Kill() })
	var done []flipped
	for from := json.NewDecoder(r); ; watch.Reset(flipTimeout) {
		var f flipped
		if err := from.Decode(&f); err != nil {
			break
		}
		done = append(done, f)
	}
	err = child.Wait()
	watch.Stop()
	if len(done) < len(flips) {
		f := flipped{flips[len(done)], flipCrash, fmt.Sprintf("%v: %s", err, lastLines(log.String()))}
		if hung.Load() {
			f.Became = flipHangs
		}
		return append(done, f)
	}
	if err != nil {
		t.Errorf("the child process has tried all flips, and %v: %s", err, log.String())
	}
	return done
}

// lastLines shortens what a process has said before its end.
func lastLines(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(lines[:min(len(lines), 6)], " | ")
}

// restore writes the bytes at the beginning of a file.
func restore(t *testing.T, path string, head []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(head, 0); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestFlipChild is the child process of TestHeaderFlips.
func TestFlipChild(t *testing.T) {
	path := os.Getenv(flipFile)
	if path == "" {
		t.Skip("it is run by TestHeaderFlips")
	}
	var flips []flip
	todo, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = json.Unmarshal(todo, &flips)
	}
	if err != nil {
		t.Fatal(err)
	}
	report := json.NewEncoder(os.NewFile(3, "report"))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	change := func(one flip) {
		var b [1]byte
		if _, err := f.ReadAt(b[:], one.At); err != nil {
			t.Fatal(err)
		}
		b[0] ^= one.With
		if _, err := f.WriteAt(b[:], one.At); err != nil {
			t.Fatal(err)
		}
	}
	for _, one := range flips {
		change(one)
		became, says := tryFile(t, path)
		change(one)
		if err := report.Encode(flipped{one, became, says}); err != nil {
			t.Fatal(err)
		}
	}
}

// tryFile opens a model file and has it answer a prompt.
func tryFile(t *testing.T, path string) (became, says string) {
	m, err := Open(path, ContextSize(64), Threads(1), Slots(1), Weights(WeightsAsShipped))
	var e *lm.Error
	switch {
	case err == nil:
	case !errors.As(err, &e) || e.Kind != lm.ErrModel:
		return flipUntyped, err.Error()
	case strings.Contains(err.Error(), "llama.cpp cannot"):
		return flipRefused, err.Error()
	default:
		return flipFound, err.Error()
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(t.Context(), flipTimeout/2)
	defer cancel()
	r, err := m.Generate(ctx, &lm.Request{Prompt: "The capital of France is", MaxTokens: 2})
	switch {
	case err == nil:
		return flipAnswers, fmt.Sprintf("%q", r.Text)
	case errors.As(err, &e):
		return flipFailed, err.Error()
	}
	return flipUntyped, err.Error()
}

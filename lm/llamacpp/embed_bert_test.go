//go:build llamacpp

package llamacpp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// A BERT of two layers with random weights, as a model file and as plain Go.
const (
	bertWidth   = 16
	bertHeads   = 2
	bertInner   = 32
	bertLayers  = 2
	bertContext = 24
	bertCLS     = 1
	bertSEP     = 2
)

var bertWords = []string{
	"[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "▁", "▁the", "▁cat", "▁dog", "▁sat", "▁on", "▁a", "▁mat", "▁ran", "▁far",
	"s", "ing", "▁under", "▁red", "▁sky", "▁und", "er", ".", "▁.", "▁[", "▁]", "▁cls", "▁sep", "▁日", "▁本",
}

type bert struct {
	names []string
	dims  map[string][]uint64
	data  map[string][]float32
}

func newBERT() *bert {
	b := &bert{dims: map[string][]uint64{}, data: map[string][]float32{}}
	rng := rand.New(rand.NewPCG(1, 2))
	add := func(name string, mean, spread float64, dims ...uint64) {
		n := uint64(1)
		for _, d := range dims {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(mean + spread*rng.NormFloat64())
		}
		b.names = append(b.names, name)
		b.dims[name], b.data[name] = dims, data
	}
	linear := func(name string, in, out uint64) {
		add(name+".weight", 0, 0.4, in, out)
		add(name+".bias", 0, 0.2, out)
	}
	norm := func(name string) {
		add(name+".weight", 1, 0.2, bertWidth)
		add(name+".bias", 0, 0.2, bertWidth)
	}
	add("token_embd.weight", 0, 1, bertWidth, uint64(len(bertWords)))
	add("token_types.weight", 0, 0.3, bertWidth, 2)
	add("position_embd.weight", 0, 0.5, bertWidth, bertContext)
	norm("token_embd_norm")
	for l := range bertLayers {
		blk := fmt.Sprintf("blk.%d.", l)
		linear(blk+"attn_q", bertWidth, bertWidth)
		linear(blk+"attn_k", bertWidth, bertWidth)
		linear(blk+"attn_v", bertWidth, bertWidth)
		linear(blk+"attn_output", bertWidth, bertWidth)
		norm(blk + "attn_output_norm")
		linear(blk+"ffn_up", bertWidth, bertInner)
		linear(blk+"ffn_down", bertInner, bertWidth)
		norm(blk + "layer_output_norm")
	}
	return b
}

// file writes the model with these keys besides what each BERT has, and returns its path.
func (b *bert) file(t *testing.T, more ...metadata) string {
	t.Helper()
	pairs := append([]metadata{
		{"general.architecture", "bert"},
		{"bert.context_length", uint32(bertContext)},
		{"bert.embedding_length", uint32(bertWidth)},
		{"bert.feed_forward_length", uint32(bertInner)},
		{"bert.block_count", uint32(bertLayers)},
		{"bert.attention.head_count", uint32(bertHeads)},
		{"bert.attention.layer_norm_epsilon", float32(1e-12)},
		{"tokenizer.ggml.model", "bert"},
		{"tokenizer.ggml.tokens", bertWords},
		{"tokenizer.ggml.token_type_count", uint32(2)},
		{"tokenizer.ggml.bos_token_id", uint32(bertCLS)},
		{"tokenizer.ggml.unknown_token_id", uint32(3)},
		{"tokenizer.ggml.padding_token_id", uint32(0)},
		{"tokenizer.ggml.mask_token_id", uint32(4)},
	}, more...)
	var out bytes.Buffer
	w := func(vs ...any) {
		for _, v := range vs {
			if s, ok := v.(string); ok {
				w := uint64(len(s))
				_ = binary.Write(&out, binary.LittleEndian, w)
				out.WriteString(s)
				continue
			}
			_ = binary.Write(&out, binary.LittleEndian, v)
		}
	}
	out.WriteString("GGUF")
	w(uint32(3), uint64(len(b.names)), uint64(len(pairs)))
	for _, p := range pairs {
		w(p.key)
		switch v := p.value.(type) {
		case uint32:
			w(uint32(4), v)
		case float32:
			w(uint32(6), v)
		case bool:
			w(uint32(7), v)
		case string:
			w(uint32(8), v)
		case []string:
			w(uint32(9), uint32(8), uint64(len(v)))
			for _, s := range v {
				w(s)
			}
		}
	}
	at := uint64(0)
	for _, name := range b.names {
		w(name, uint32(len(b.dims[name])), b.dims[name], uint32(0), at)
		at += uint64(len(b.data[name])*4+31) / 32 * 32
	}
	for _, name := range b.names {
		out.Write(make([]byte, (32-out.Len()%32)%32))
		w(b.data[name])
	}
	out.Write(make([]byte, (32-out.Len()%32)%32))
	path := filepath.Join(t.TempDir(), "bert.gguf")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// apply is the linear layer of that name.
func (b *bert) apply(name string, x []float64) []float64 {
	w, bias := b.data[name+".weight"], b.data[name+".bias"]
	out := make([]float64, len(bias))
	for o := range out {
		out[o] = float64(bias[o])
		for i, v := range x {
			out[o] += v * float64(w[o*len(x)+i])
		}
	}
	return out
}

func (b *bert) norm(name string, x []float64) []float64 {
	mean, square := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		square += (v - mean) * (v - mean) / float64(len(x))
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = (v-mean)/math.Sqrt(square)*float64(b.data[name+".weight"][i]) + float64(b.data[name+".bias"][i])
	}
	return out
}

func plus(a, b []float64) []float64 {
	out := slices.Clone(a)
	for i, v := range b {
		out[i] += v
	}
	return out
}

// states computes the last layer's states of these tokens.
func (b *bert) states(tokens []int32) [][]float64 {
	x := make([][]float64, len(tokens))
	for i, token := range tokens {
		x[i] = make([]float64, bertWidth)
		for k := range bertWidth {
			x[i][k] = float64(b.data["token_embd.weight"][int(token)*bertWidth+k]) +
				float64(b.data["token_types.weight"][k]) + float64(b.data["position_embd.weight"][i*bertWidth+k])
		}
		x[i] = b.norm("token_embd_norm", x[i])
	}
	const size = bertWidth / bertHeads
	for l := range bertLayers {
		blk := fmt.Sprintf("blk.%d.", l)
		var q, k, v [][]float64
		for _, s := range x {
			q, k, v = append(q, b.apply(blk+"attn_q", s)), append(k, b.apply(blk+"attn_k", s)), append(v, b.apply(blk+"attn_v", s))
		}
		next := make([][]float64, len(x))
		for i := range x {
			mixed := make([]float64, bertWidth)
			for h := range bertHeads {
				weights, total := make([]float64, len(x)), 0.0
				for j := range x {
					dot := 0.0
					for d := h * size; d < (h+1)*size; d++ {
						dot += q[i][d] * k[j][d]
					}
					weights[j] = math.Exp(dot / math.Sqrt(size))
					total += weights[j]
				}
				for j, w := range weights {
					for d := h * size; d < (h+1)*size; d++ {
						mixed[d] += w / total * v[j][d]
					}
				}
			}
			s := b.norm(blk+"attn_output_norm", plus(b.apply(blk+"attn_output", mixed), x[i]))
			inner := b.apply(blk+"ffn_up", s)
			for d, y := range inner {
				inner[d] = y / 2 * (1 + math.Erf(y/math.Sqrt2))
			}
			next[i] = b.norm(blk+"layer_output_norm", plus(b.apply(blk+"ffn_down", inner), s))
		}
		x = next
	}
	return x
}

var bertTexts = []string{"the cat sat on a mat", "dogs", "the red sky under the mat ran far . the dog sat", "", "日本 the cat"}

var bertSeparator = metadata{"tokenizer.ggml.seperator_token_id", uint32(bertSEP)} // spelled so in the format

// The vectors of an encoder are those that plain Go computes, for each way of pooling,
// together and alone.
func TestEmbedBERT(t *testing.T) {
	t.Parallel()
	b := newBERT()
	notCausal := metadata{"bert.attention.causal", false}
	for _, tt := range []struct {
		name string
		keys []metadata
		opts []EmbedOption
		pool Pool
	}{
		{"the file says nothing", []metadata{notCausal}, nil, PoolMean},
		{"the file says cls", []metadata{notCausal, {"bert.pooling_type", uint32(2)}}, nil, PoolCLS},
		{"the file says last", []metadata{notCausal, {"bert.pooling_type", uint32(3)}}, nil, PoolLast},
		{"the option says mean", []metadata{notCausal, {"bert.pooling_type", uint32(2)}}, []EmbedOption{Pooling(PoolMean)}, PoolMean},
		{"the file takes it for causal", nil, []EmbedOption{BatchTokens(4), Pooling(PoolCLS)}, PoolCLS},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := openEmbedder(t, b.file(t, append(tt.keys, bertSeparator)...), tt.opts...)
			if !strings.HasSuffix(e.Name(), ":"+tt.pool.String()) || e.Dimensions() != bertWidth || e.MaxTokens() != bertContext {
				t.Errorf("%s has %d dimensions and %d tokens", e.Name(), e.Dimensions(), e.MaxTokens())
			}
			together := embed(t, e, bertTexts...)
			for i, text := range bertTexts {
				tokens := e.engine.tokenize(text)
				if tokens[0] != bertCLS || tokens[len(tokens)-1] != bertSEP {
					t.Fatalf("%q has the tokens %v", text, tokens)
				}
				want := make([]float32, bertWidth)
				for k, s := range b.states(tokens) {
					for d, v := range s {
						if tt.pool == PoolMean || tt.pool == PoolCLS && k == 0 || tt.pool == PoolLast && k == len(tokens)-1 {
							want[d] += float32(v)
						}
					}
				}
				if c := cosine(together[i], want); c < 0.9999 {
					t.Errorf("%q: cosine %f with what Go computes\n%v\n%v", text, c, together[i], want)
				}
				if c := cosine(together[i], embed(t, e, text)[0]); c < 0.999999 {
					t.Errorf("%q: cosine %f with the vector alone", text, c)
				}
			}
		})
	}
}

func TestEmbedBERTTexts(t *testing.T) {
	t.Parallel()
	e := openEmbedder(t, newBERT().file(t, bertSeparator))
	for _, text := range []string{"the [SEP] cat", "[CLS]", "a [MASK][PAD]"} {
		inner := e.engine.tokenize(text)
		inner = inner[1 : len(inner)-1]
		if slices.ContainsFunc(inner, func(token int32) bool { return token < 5 && token != 3 }) {
			t.Errorf("%q has the tokens %v", text, inner)
		}
	}
	_, err := e.Embed(t.Context(), []string{"the cat", strings.Repeat("the ", bertContext-1)})
	var over *lm.ContextLengthError
	if !errors.Is(err, lm.ErrContextLength) || !errors.As(err, &over) || over.Over() != 1 || !strings.Contains(err.Error(), "text 1 ") {
		t.Errorf("a text that is too long: %v", err)
	}
	embed(t, e, strings.Repeat("the ", bertContext-2))
}

func TestEmbedBERTRefused(t *testing.T) {
	t.Parallel()
	b := newBERT()
	for _, tt := range []struct {
		keys []metadata
		want string
	}{
		{[]metadata{{"bert.pooling_type", uint32(4)}, bertSeparator}, "reranker"},
		{[]metadata{{"bert.pooling_type", uint32(77)}, bertSeparator}, "77"},
		{nil, "tokenizer.ggml.seperator_token_id"},
	} {
		if _, err := OpenEmbedder(b.file(t, tt.keys...)); !errors.Is(err, lm.ErrModel) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %q", tt.keys, err, tt.want)
		}
	}
	openEmbedder(t, b.file(t, metadata{"bert.pooling_type", uint32(77)}, bertSeparator), Pooling(PoolMean))
}

// Weights that make no vector are an error and no vector.
func TestEmbedBERTDamaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*bert){
		"not a number": func(b *bert) { b.data["blk.1.ffn_down.bias"][3] = float32(math.NaN()) },
		"all 0": func(b *bert) {
			clear(b.data["blk.1.layer_output_norm.weight"])
			clear(b.data["blk.1.layer_output_norm.bias"])
		},
	} {
		b := newBERT()
		damage(b)
		e := openEmbedder(t, b.file(t, bertSeparator))
		if _, err := e.Embed(t.Context(), []string{"the cat"}); !errors.Is(err, lm.ErrModel) || !strings.Contains(err.Error(), "text 0 ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

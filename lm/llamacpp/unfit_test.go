//go:build llamacpp

package llamacpp

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// unfitModels are models of one layer that llama.cpp loads, of kinds whose sequences
// cannot be shared by prefix and cut back. All weights are 0.
var unfitModels = []struct {
	architecture, kind string
	metadata           []metadata
	tensors            []tensor
}{
	{
		"mamba", "recurrent",
		append(someVocabulary(), stateSpace...),
		append([]tensor{
			{"token_embd.weight", []uint64{16, 8}},
			{"output_norm.weight", []uint64{16}},
			{"blk.0.ssm_out.weight", []uint64{32, 16}},
		}, stateSpaceLayer...),
	},
	{
		"jamba", "hybrid",
		slices.Concat([]metadata{{"attention.head_count_kv", uint32(0)}}, feedForward, stateSpace, someVocabulary()),
		append([]tensor{
			{"token_embd.weight", []uint64{16, 8}},
			{"output_norm.weight", []uint64{16}},
			{"blk.0.ssm_out.weight", []uint64{32, 16}},
			{"blk.0.ssm_dt_norm.weight", []uint64{8}},
			{"blk.0.ssm_b_norm.weight", []uint64{8}},
			{"blk.0.ssm_c_norm.weight", []uint64{8}},
			{"blk.0.ffn_norm.weight", []uint64{16}},
			{"blk.0.ffn_gate.weight", []uint64{16, 32}},
			{"blk.0.ffn_down.weight", []uint64{32, 16}},
			{"blk.0.ffn_up.weight", []uint64{16, 32}},
		}, stateSpaceLayer...),
	},
	{
		"llada", "diffusion",
		append(someVocabulary(), feedForward...),
		attentionLayer,
	},
	{
		"t5encoder", "encoder",
		append([]metadata{{"feed_forward_length", uint32(32)}, {"attention.relative_buckets_count", uint32(8)}}, someVocabulary()...),
		[]tensor{
			{"token_embd.weight", []uint64{16, 8}},
			{"enc.output_norm.weight", []uint64{16}},
			{"enc.blk.0.attn_norm.weight", []uint64{16}},
			{"enc.blk.0.attn_rel_b.weight", []uint64{2, 8}},
			{"enc.blk.0.attn_q.weight", []uint64{16, 16}},
			{"enc.blk.0.attn_k.weight", []uint64{16, 16}},
			{"enc.blk.0.attn_v.weight", []uint64{16, 16}},
			{"enc.blk.0.attn_o.weight", []uint64{16, 16}},
			{"enc.blk.0.ffn_norm.weight", []uint64{16}},
			{"enc.blk.0.ffn_down.weight", []uint64{32, 16}},
			{"enc.blk.0.ffn_up.weight", []uint64{16, 32}},
		},
	},
}

var (
	stateSpace = []metadata{
		{"ssm.conv_kernel", uint32(4)},
		{"ssm.inner_size", uint32(32)},
		{"ssm.state_size", uint32(8)},
		{"ssm.time_step_rank", uint32(8)},
	}
	feedForward    = []metadata{{"feed_forward_length", uint32(32)}}
	attentionLayer = []tensor{
		{"token_embd.weight", []uint64{16, 8}},
		{"output_norm.weight", []uint64{16}},
		{"blk.0.attn_norm.weight", []uint64{16}},
		{"blk.0.attn_q.weight", []uint64{16, 16}},
		{"blk.0.attn_k.weight", []uint64{16, 16}},
		{"blk.0.attn_v.weight", []uint64{16, 16}},
		{"blk.0.attn_output.weight", []uint64{16, 16}},
		{"blk.0.ffn_norm.weight", []uint64{16}},
		{"blk.0.ffn_gate.weight", []uint64{16, 32}},
		{"blk.0.ffn_down.weight", []uint64{32, 16}},
		{"blk.0.ffn_up.weight", []uint64{16, 32}},
	}
	stateSpaceLayer = []tensor{
		{"blk.0.attn_norm.weight", []uint64{16}},
		{"blk.0.ssm_in.weight", []uint64{16, 64}},
		{"blk.0.ssm_conv1d.weight", []uint64{4, 32}},
		{"blk.0.ssm_conv1d.bias", []uint64{32}},
		{"blk.0.ssm_x.weight", []uint64{32, 24}},
		{"blk.0.ssm_dt.weight", []uint64{8, 32}},
		{"blk.0.ssm_dt.bias", []uint64{32}},
		{"blk.0.ssm_a", []uint64{8, 32}},
		{"blk.0.ssm_d", []uint64{32}},
	}
)

// tinyModel writes a model file and returns its path. It has no tokenizer if there is
// none among the metadata.
func tinyModel(t *testing.T, architecture string, more []metadata, tensors []tensor) string {
	t.Helper()
	pairs := []metadata{{"general.architecture", architecture}}
	if !slices.ContainsFunc(more, func(m metadata) bool { return m.key == keyTokenizer }) {
		pairs = append(pairs, metadata{keyTokenizer, "none"})
	}
	for _, m := range append([]metadata{
		{"vocab_size", uint32(8)},
		{"context_length", uint32(256)},
		{"embedding_length", uint32(16)},
		{"block_count", uint32(1)},
		{"attention.head_count", uint32(2)},
		{"attention.layer_norm_rms_epsilon", float32(1e-5)},
	}, more...) {
		if !strings.HasPrefix(m.key, "tokenizer.") {
			m.key = architecture + "." + m.key
		}
		pairs = append(pairs, m)
	}
	path := filepath.Join(t.TempDir(), architecture+".gguf")
	if err := os.WriteFile(path, rawGGUF(pairs, tensors), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefusesKinds(t *testing.T) {
	t.Parallel()
	for _, u := range unfitModels {
		t.Run(u.architecture, func(t *testing.T) {
			t.Parallel()
			path := tinyModel(t, u.architecture, u.metadata, u.tensors)
			m, err := Open(path)
			if err == nil {
				m.Close()
			}
			if !errors.Is(err, lm.ErrModel) || !strings.Contains(err.Error(), u.kind) {
				t.Errorf("Open returned %v, want kind %q and that it is %s", err, lm.ErrModel, u.kind)
			}
		})
	}
}

// The reason of a failure is its own, and not what llama.cpp has said of something else.
func TestReasonIsItsOwn(t *testing.T) {
	t.Parallel()
	cfg, err := newConfig([]Option{Threads(1)})
	if err != nil {
		t.Fatal(err)
	}
	path := tinyModel(t, "llama", append([]metadata{{"rope.dimension_count", uint32(8)}}, feedForward...), attentionLayer)
	var models []*llamaEngine
	for range 2 {
		e, why := load(path, cfg)
		if e == nil {
			t.Fatal(why)
		}
		defer e.free()
		models = append(models, e.(*llamaEngine))
	}
	runtime.LockOSThread() // so that both models use one thread
	defer runtime.UnlockOSThread()
	one := func(token int32) error {
		var b batch
		b.add(token, 0, 0)
		b.want(0, wantBest)
		return models[0].decode(&b)
	}
	if err := one(1); err != nil {
		t.Fatal(err)
	}
	if err := one(99); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("a token that is not in the vocabulary: %v", err)
	}
	if models[0].row(99) != nil || reason() == "it gave no reason" {
		t.Fatal("llama.cpp says nothing of a row that there is not") // or the test shows nothing
	}
	if err := models[1].decode(&batch{}); err == nil || !strings.Contains(err.Error(), "no reason") {
		t.Errorf("an empty batch of another model: %v", err)
	}
	models[0].row(99)
	if _, why := load(filepath.Join(t.TempDir(), "none.gguf"), cfg); !strings.Contains(why, "none.gguf") {
		t.Errorf("a file that is not there: %s", why)
	}
	incomplete := tinyModel(t, "llama", feedForward, attentionLayer[:5])
	if _, why := load(incomplete, cfg); !strings.Contains(why, "attn_v.weight") {
		t.Errorf("a file without all its tensors: %s", why)
	}
}

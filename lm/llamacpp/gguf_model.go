package llamacpp

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

const (
	keyArchitecture = "general.architecture"
	maxLayers       = 512  // llama.cpp's
	maxExperts      = 1024 // llama.cpp's
)

// hyperparameters are the metadata of a model's architecture.
type hyperparameters struct {
	architecture string
	values       map[string]ggufValue
}

// checkModel reports what llama.cpp cannot make a model of. Much of that it would report
// itself; at the rest it ends the process.
func checkModel(meta ggufMeta) error {
	v, ok := meta.values[keyArchitecture]
	if !ok {
		return fmt.Errorf("it has no %q, so it is not a language model", keyArchitecture)
	}
	if v.kind != ggufString {
		return wrongType(keyArchitecture, v, "text")
	}
	if v.text == "" {
		return fmt.Errorf("its %q is empty or too long for a name", keyArchitecture)
	}
	if v.text == "clip" {
		return errors.New("it is the part of a model that reads images, without the model")
	}
	if parts := meta.values["split.count"]; parts.bits > 1 {
		return fmt.Errorf("it is part %d of %d of a model that was split: join them, for example with llama-gguf-split --merge, and open the whole file",
			meta.values["split.no"].bits+1, parts.bits)
	}
	h := hyperparameters{v.text, meta.values}
	for _, check := range []func() error{h.sizes, h.heads, h.experts, h.numbers} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (h hyperparameters) key(name string) string { return h.architecture + "." + name }

// number returns a value, 0 where it is not there.
func (h hyperparameters) number(name string) uint64 {
	v, _ := h.values[h.key(name)].uint32()
	return uint64(v)
}

// perLayer returns a value that may be one for all layers or one for each.
func (h hyperparameters) perLayer(name string) ([]uint64, error) {
	v, ok := h.values[h.key(name)]
	switch {
	case !ok:
		return nil, nil
	case v.kind == ggufUint32:
		return []uint64{v.bits}, nil
	case !v.list(ggufUint32) && !v.list(ggufInt32):
		return nil, wrongType(h.key(name), v, "u32 or an array of them")
	case v.count != h.number("block_count"):
		return nil, fmt.Errorf("%q has %d values, and the model %d layers", h.key(name), v.count, h.number("block_count"))
	}
	return v.numbers, nil
}

// layerOf returns the value of a layer, 0 where there are none.
func layerOf(values []uint64, layer int) uint64 {
	if len(values) == 0 {
		return 0
	}
	return values[min(layer, len(values)-1)]
}

func (h hyperparameters) sizes() error {
	for _, s := range []struct {
		name string
		most uint32
	}{{"block_count", maxLayers}, {"context_length", math.MaxInt32}, {"embedding_length", 1 << 24}} {
		v, ok := h.values[h.key(s.name)]
		if !ok {
			return fmt.Errorf("it has no %q, which a model of the architecture %q needs", h.key(s.name), h.architecture)
		}
		n, ok := v.uint32()
		if !ok {
			return wrongType(h.key(s.name), v, "u32")
		}
		if n == 0 || n > s.most {
			return fmt.Errorf("%q is %d, and it must be 1 to %d", h.key(s.name), n, s.most)
		}
	}
	if n, layers := h.number("nextn_predict_layers"), h.number("block_count"); n > layers {
		return fmt.Errorf("%q is %d, and the model has %d layers", h.key("nextn_predict_layers"), n, layers)
	}
	return nil
}

// alikeHeads are architectures for which the keys and values of a head must be equally
// long, and whether a rotation must take in all of the head.
var alikeHeads = map[string]bool{
	"llama": true, "qwen2": true, "qwen2moe": true, "qwen3": true, "qwen3moe": true, "mistral3": true, "falcon": true, "olmo": true,
	"olmo2": true, "granite": true, "smollm3": true, "internlm2": true, "starcoder2": true, "exaone": true, "arcee": true,
	"phi2": false, "phi3": false, "gpt2": false, "gptneox": false, "stablelm": false, "bert": false, "command-r": false,
	"cohere2": false, "starcoder": false, "bloom": false, "mpt": false, "chatglm": false, "glm4": false,
}

func (h hyperparameters) heads() error {
	heads, err := h.perLayer("attention.head_count")
	if err != nil {
		return err
	}
	groups, err := h.perLayer("attention.head_count_kv")
	if err != nil {
		return err
	}
	for i := range max(len(heads), len(groups)) {
		n, kv := layerOf(heads, i), layerOf(groups, i)
		if n > h.number("embedding_length") {
			return fmt.Errorf("%q is %d, more than the embedding's length", h.key("attention.head_count"), n)
		}
		if kv > 0 && n%kv != 0 {
			return fmt.Errorf("%q is %d, which does not divide the %d heads", h.key("attention.head_count_kv"), kv, n)
		}
	}
	if len(heads) == 0 || heads[0] == 0 {
		return nil
	}
	or := func(name string, otherwise uint64) uint64 {
		if v, ok := h.values[h.key(name)].uint32(); ok {
			return uint64(v)
		}
		return otherwise
	}
	k := or("attention.key_length", h.number("embedding_length")/heads[0])
	v := or("attention.value_length", h.number("embedding_length")/heads[0])
	turned := or("rope.dimension_count", k)
	whole, alike := alikeHeads[h.architecture]
	switch {
	case k == 0 || v == 0:
		return fmt.Errorf("a head has keys of length %d and values of length %d", k, v)
	case turned%2 != 0 || turned > k:
		return fmt.Errorf("%q is %d, and it must be even and at most %d, the length of a head", h.key("rope.dimension_count"), turned, k)
	case alike && k != v:
		return fmt.Errorf("a head has keys of length %d and values of length %d, which must be equal in a model of the architecture %q", k, v, h.architecture)
	case alike && whole && turned != k:
		return fmt.Errorf("%q is %d, and it must be %d, the length of a head", h.key("rope.dimension_count"), turned, k)
	}
	return nil
}

func (h hyperparameters) experts() error {
	used, err := h.perLayer("expert_used_count")
	if err != nil {
		return err
	}
	most := uint64(0)
	if len(used) > 0 {
		most = slices.Max(used)
	}
	all, groups := h.number("expert_count"), h.number("expert_group_count")
	if (h.architecture == "hunyuan-dense" || h.architecture == "hunyuan_vl") && all <= 1 {
		all, most = 0, 0 // llama.cpp takes no notice of them
	}
	switch {
	case all > maxExperts:
		return fmt.Errorf("%q is %d, and there may be %d", h.key("expert_count"), all, maxExperts)
	case most > all || all > 0 && most == 0:
		return fmt.Errorf("%q is %d, and the model has %d experts", h.key("expert_used_count"), most, all)
	case groups > 0 && groups >= all || groups > 1 && all%groups != 0:
		return fmt.Errorf("%q is %d, and the model has %d experts", h.key("expert_group_count"), groups, all)
	}
	if u := h.number("expert_group_used_count"); groups > 1 && (u == 0 || u >= groups) {
		return fmt.Errorf("%q is %d, and there are %d groups of experts", h.key("expert_group_used_count"), u, groups)
	}
	return nil
}

func (h hyperparameters) numbers() error {
	for _, name := range []string{"attention.layer_norm_epsilon", "attention.layer_norm_rms_epsilon", "attention.group_norm_epsilon"} {
		key := h.key(name)
		v, ok := h.values[key]
		if !ok {
			continue
		}
		if f, ok := v.float32(); !ok {
			return wrongType(key, v, "f32")
		} else if !(f >= 0 && f <= 1) { // not a number is not, either
			return fmt.Errorf("%q is %g, and it must be a small number that is not negative", key, f)
		}
	}
	if v, ok := h.values[h.key("rope.scaling.type")]; ok && v.kind == ggufString && !slices.Contains([]string{"none", "linear", "yarn", "longrope"}, v.text) {
		return fmt.Errorf("%q is %q, and there are none, linear, yarn and longrope", h.key("rope.scaling.type"), v.text)
	}
	return nil
}

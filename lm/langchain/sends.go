package langchain

import (
	"reflect"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// setting is a part of a request, or several, that a call has an option for.
type setting uint

const (
	temperature setting = 1 << iota
	topP
	topK
	seed
	zeroSeed
	stop
	maxTokens
	jsonObject
	tools
	toolChoice
	everything = 1<<iota - 1
)

// sampling is what most clients send.
const sampling = temperature | topP | topK

// kindOf names the package of a client of langchaingo's own, such as "openai" or
// "googleai/vertex", and is empty for any other.
func kindOf(client llms.Model) string {
	t := reflect.TypeOf(client)
	if t == nil {
		return ""
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	kind, ok := strings.CutPrefix(t.PkgPath(), "github.com/tmc/langchaingo/llms/")
	if !ok {
		return ""
	}
	return kind
}

// sends tells what a client of v0.1.14 passes on to its provider, as read in its source;
// the tests hold its client for OpenAI against it.
func sends(kind string) setting {
	switch kind {
	case "openai":
		return temperature | seed | stop | maxTokens | jsonObject | tools | toolChoice
	case "anthropic":
		return temperature | topP | stop | maxTokens | tools
	case "ollama":
		return sampling | seed | stop | maxTokens | jsonObject
	case "googleai", "googleai/vertex":
		return sampling | stop | maxTokens | jsonObject | tools
	case "mistral":
		return temperature | seed | maxTokens | tools
	case "bedrock":
		return sampling | stop | maxTokens | tools | toolChoice
	case "watsonx":
		return sampling | seed | stop | maxTokens
	case "llamafile":
		return sampling | seed | stop | maxTokens
	case "maritaca":
		return topP | stop | maxTokens | jsonObject
	case "huggingface", "local":
		return sampling | seed
	case "ernie":
		return temperature | topP
	case "cohere", "cloudflare":
		return 0
	}
	return everything
}

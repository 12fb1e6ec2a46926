package openai_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/openai"
)

// answer starts a server that answers everything with one body.
func answer(contentType, body string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}))
}

func ExampleNew() {
	server := answer("application/json", `{"choices":[{"message":{"content":"Green."},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":2}}`)
	defer server.Close()
	model, err := openai.New("vllm/meta/llama", openai.BaseURL(server.URL+"/v1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	resp, err := model.Generate(context.Background(), &lm.Request{Messages: []lm.Message{lm.User("What colour is grass?")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Text, resp.Finish, resp.Usage.CompletionTokens)
	// Output: Green. stop 2
}

func ExampleModel_Stream() {
	server := answer("text/event-stream", `data: {"choices":[{"delta":{"content":"one "}}]}

data: {"choices":[{"delta":{"content":"two"},"finish_reason":"stop"}]}

data: [DONE]

`)
	defer server.Close()
	model, err := openai.New("vllm/m", openai.BaseURL(server.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	r := &lm.Request{Messages: []lm.Message{lm.User("Count.")}}
	for event, err := range model.Stream(context.Background(), r) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if event.Response != nil {
			fmt.Println("whole:", event.Response.Text)
			break
		}
		fmt.Printf("%q\n", event.Text)
	}
	// Output:
	// "one "
	// "two"
	// whole: one two
}

func ExampleNewEmbedder() {
	server := answer("application/json", `{"data":[{"index":0,"embedding":[3,4]}],"usage":{"prompt_tokens":1}}`)
	defer server.Close()
	embedder, err := openai.NewEmbedder("ollama/all-minilm", openai.BaseURL(server.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer embedder.Close()
	out, err := embedder.Embed(context.Background(), []string{"grass"})
	fmt.Println(out.Vectors, err)
	// Output: [[0.6 0.8]] <nil>
}

func ExampleDialectOf() {
	dialect, _ := openai.DialectOf("vllm")
	dialect.Shapes = openai.ShapesGuided // a vLLM of old
	model, err := openai.New("vllm/m", openai.UseDialect(dialect))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	_, err = openai.New("acme/m")
	fmt.Println(model.Name(), errors.Is(err, lm.ErrInvalidRequest))
	// Output: vllm:m#83bd599c true
}

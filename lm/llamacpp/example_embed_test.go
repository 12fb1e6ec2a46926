package llamacpp_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/llamacpp"
)

func ExampleOpenEmbedder() {
	_, err := llamacpp.OpenEmbedder("no/such/model.gguf", llamacpp.Pooling(llamacpp.PoolMean), llamacpp.Threads(2))
	if errors.Is(err, lm.ErrUnavailable) || errors.Is(err, lm.ErrModel) {
		fmt.Println("no embedder: this program was built without llama.cpp, or the file is not there")
	}
	// Output: no embedder: this program was built without llama.cpp, or the file is not there
}

// The vectors have length 1, so that the sum of the products is their cosine.
func ExampleEmbedder_Embed() {
	e, err := llamacpp.OpenEmbedder(os.Getenv("WHET_MODEL_SMOLLM2"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	r, err := e.Embed(context.Background(), []string{"The cat sleeps.", "A kitten is dozing.", "Rates were raised."})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := 1; i < len(r.Vectors); i++ {
		cosine := float32(0)
		for k, x := range r.Vectors[0] {
			cosine += x * r.Vectors[i][k]
		}
		fmt.Printf("%.2f\n", cosine)
	}
}

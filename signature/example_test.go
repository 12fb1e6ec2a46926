package signature_test

import (
	"fmt"
	"log"

	"github.com/whetgo/whet/signature"
)

type SMS struct {
	Text string `json:"text" desc:"The SMS text to classify"`
}

type Verdict struct {
	Label string `json:"label" enum:"ham,spam,smishing"`
}

func ExampleOf() {
	sig, err := signature.Of[SMS, Verdict]("Classify the message.")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sig)
	fmt.Println(sig.Outputs()[0].Type)
	// Output:
	// text -> label
	// Literal['ham', 'spam', 'smishing']
}

func ExampleEncode() {
	r, err := signature.Encode(Verdict{Label: "spam"})
	if err != nil {
		log.Fatal(err)
	}
	data, err := signature.MarshalValue(r)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(data))
	_, err = signature.Encode(Verdict{Label: "eggs"})
	fmt.Println(err)
	// Output:
	// {"label":"spam"}
	// signature: type signature_test.Verdict: field label: the value "eggs" is none of ham, spam, smishing
}

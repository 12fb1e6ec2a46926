package adapter

import (
	"fmt"
	"strings"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// Adapter turns a signature, demos and inputs into a request, and a reply into
// fields. Adapters hold no state and are safe for concurrent use.
type Adapter interface {
	// Name names the adapter in reports and files, for example "chat".
	Name() string
	// Prepare renders all that does not change from call to call.
	Prepare(p Program) (Template, error)
}

// Program is the unchanging part of a predictor's calls.
type Program struct {
	Signature *signature.Signature
	// Demos are examples of inputs and outputs; one may lack fields.
	Demos []signature.Record
	// Biases holds, by output field and by choice, what is added to the choice's
	// log-probability.
	Biases map[string]map[string]float64
}

// Template is a prepared program. It is immutable and safe for concurrent use.
type Template interface {
	// Request renders the inputs. Fields of the record that the signature does not
	// have are ignored; inputs that the record lacks are left out. The request
	// carries messages or prompt, Shape and Stop; the caller may set the rest.
	Request(inputs signature.Record) (*lm.Request, error)
	// Parse reads the output fields, in the signature's order, from the reply to the
	// request with these inputs. What a lenient reading finds does not count where it
	// stands word for word in an input, since the model may only have repeated it. On
	// failure it returns a *ParseError.
	Parse(reply string, inputs signature.Record) (signature.Record, []Repair, error)
}

// Repair is something that a reply's parser had to mend.
type Repair struct {
	// Field is the output field, empty when the repair concerns the whole reply.
	Field string
	// What says what was done, for example "letter case of a choice".
	What string
}

// ParseError is a reply that could not be understood, or that breaks a constraint
// of its signature. Nothing is lost: Raw is the whole reply.
type ParseError struct {
	// Adapter is the adapter's name.
	Adapter string
	// Field is the field that is missing or malformed.
	Field string
	// Expected says what the field should have held.
	Expected string
	// Got is the text found for the field; Missing says that there was none.
	Got     string
	Missing bool
	// Found names the output fields that the reply did hold.
	Found []string
	// Raw is the whole reply.
	Raw string
	// Err is the cause, where there is one: which item of a list or field of an
	// object is wrong, which constraint is broken, or why what was found does not
	// count.
	Err error
}

// Unwrap returns the cause.
func (e *ParseError) Unwrap() error { return e.Err }

// Error names the field, what was expected and what was found.
func (e *ParseError) Error() string {
	var text string
	if e.Missing {
		found := "none of the output fields was found"
		if len(e.Found) > 0 {
			found = "found " + strings.Join(e.Found, ", ")
		}
		text = fmt.Sprintf("adapter %s: the reply lacks the field %q (%s); %s; the reply was %s", e.Adapter, e.Field, e.Expected, found, excerpt(e.Raw))
	} else {
		text = fmt.Sprintf("adapter %s: field %q: want %s, got %s", e.Adapter, e.Field, e.Expected, excerpt(e.Got))
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// excerpt quotes a text, cut to a length that fits a log line.
func excerpt(s string) string {
	const most = 200
	if r := []rune(s); len(r) > most {
		return fmt.Sprintf("%q and %d more characters", string(r[:most]), len(r)-most)
	}
	return fmt.Sprintf("%q", s)
}

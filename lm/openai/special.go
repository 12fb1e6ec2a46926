package openai

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

// tokenLike are texts that may be a special token of some model: "<|im_end|>",
// "<start_of_turn>", "</s>", and "[INST]" or "[gMASK]". They are looked for one after the
// other, as one of the second kind may stand inside of what looks like one of the first.
var tokenLike = []*regexp.Regexp{
	regexp.MustCompile(`<[^\s<>]{1,64}>`),
	regexp.MustCompile(`\[/?[A-Za-z_0-9]{2,32}\]`),
}

// joiner stands, without width, inside of a text that would be special.
const joiner = "\u200D"

// ReadSpecialTokens lets the special tokens that stand in messages and prompts be read as
// such by llama-server, for who writes the model's template into a Prompt himself. Data
// among it can then end a turn and begin another. Without this option they are text; see
// the package's documentation.
func ReadSpecialTokens() Option { return func(c *config) { c.readSpecial = true } }

// maxSpecials is how many texts a model remembers to be special, or not.
const maxSpecials = 4096

// specials knows which texts the server takes for special tokens.
type specials struct {
	off   bool
	mu    sync.Mutex
	known map[string]bool
}

func newSpecials(off bool) *specials { return &specials{off: off, known: map[string]bool{}} }

// plain returns what makes text of the special tokens in texts. The server is asked about
// each candidate once, two calls for all that are new.
func (s *specials) plain(ctx context.Context, c *client, texts []string) (func(string) string, error) {
	same := func(text string) string { return text }
	if s.off || !c.dialect.Tokenize {
		return same, nil
	}
	found := candidates(texts)
	slices.Sort(found)
	found = slices.Compact(found)
	special, err := s.among(ctx, c, found)
	if err != nil {
		return nil, err
	}
	var pairs []string
	for _, token := range special {
		pairs = append(pairs, token, broken(token))
	}
	if len(pairs) == 0 {
		return same, nil
	}
	return strings.NewReplacer(pairs...).Replace, nil
}

// candidates returns what looks like a special token in texts.
func candidates(texts []string) []string {
	var out []string
	for _, text := range texts {
		for _, like := range tokenLike {
			out = append(out, like.FindAllString(text, -1)...)
		}
	}
	return out
}

// broken puts a joiner behind the first character.
func broken(token string) string {
	_, n := utf8.DecodeRuneInString(token)
	return token[:n] + joiner + token[n:]
}

// among returns which of the texts are special tokens of the server's model.
func (s *specials) among(ctx context.Context, c *client, texts []string) ([]string, error) {
	var special, unknown []string
	s.mu.Lock()
	for _, text := range texts {
		switch is, ok := s.known[text]; {
		case !ok:
			unknown = append(unknown, text)
		case is:
			special = append(special, text)
		}
	}
	s.mu.Unlock()
	if len(unknown) == 0 {
		return special, nil
	}
	found := map[string]bool{}
	if err := s.search(ctx, c, unknown, found); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known)+len(unknown) > maxSpecials {
		clear(s.known)
	}
	for i, text := range unknown {
		if found[text] {
			special = append(special, text)
		}
		if i < maxSpecials {
			s.known[text] = found[text]
		}
	}
	return special, nil
}

// search adds to found which of the texts are special: one token, and other ones where
// special tokens are not read. A text that holds one besides something else is none itself,
// and what every model has as a word is the same in both. Texts are asked about together,
// and in halves only where one of them is special: a page of XML has thousands that are
// none.
func (s *specials) search(ctx context.Context, c *client, texts []string, found map[string]bool) error {
	joined := strings.Join(texts, "\n")
	read, err := c.tokenize(ctx, joined, true)
	if err != nil {
		return err
	}
	plain, err := c.tokenize(ctx, joined, false)
	if err != nil || slices.Equal(read, plain) {
		return err
	}
	if len(texts) == 1 {
		found[texts[0]] = len(read) == 1
		return nil
	}
	half := len(texts) / 2
	if err := s.search(ctx, c, texts[:half], found); err != nil {
		return err
	}
	return s.search(ctx, c, texts[half:], found)
}

// tokenize returns what tokens llama-server makes of a text. Its interface is beside that of
// OpenAI, and not below.
func (c *client) tokenize(ctx context.Context, text string, special bool) ([]int, error) {
	var out struct {
		Tokens []int `json:"tokens"`
	}
	if err := c.beside(ctx, "tokenize", map[string]any{"content": text, "parse_special": special}, &out); err != nil {
		return nil, err
	}
	if len(out.Tokens) == 0 && text != "" {
		return nil, c.failure(lm.ErrBackend, "the server makes no tokens of a text; is it llama-server? See UseDialect")
	}
	return out.Tokens, nil
}

// beside calls one of llama-server's own endpoints.
func (c *client) beside(ctx context.Context, path string, body map[string]any, out any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return c.because(lm.ErrInvalidRequest, err, "the request cannot be written as JSON")
	}
	data, resp, err := c.post(ctx, strings.TrimSuffix(c.base.String(), "/v1")+"/"+path, data)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, out); err != nil {
		return c.broken(resp, err, "the reply of /%s is not what was expected", path)
	}
	return nil
}

// counter counts the tokens of requests by llama-server.
type counter struct{ *Model }

// Tokenizer returns the model as one that counts tokens, where the server can: that is
// llama-server alone. Counting costs two calls that compute nothing; pictures, sounds and
// tools are not counted.
func (m *Model) Tokenizer() (lm.Tokenizer, error) {
	if !m.dialect.Tokenize {
		return nil, m.failure(lm.ErrUnsupported, "%s cannot be asked for numbers of tokens", m.provider)
	}
	return counter{m}, nil
}

// CountTokens implements [lm.Tokenizer].
func (c counter) CountTokens(ctx context.Context, r *lm.Request) (int, error) {
	if err := r.Validate(); err != nil {
		return 0, err
	}
	texts := textsOf(r.Messages)
	if r.Prompt != "" {
		texts = []string{r.Prompt}
	}
	plain, err := c.specials.plain(ctx, c.client, texts)
	if err != nil {
		return 0, err
	}
	prompt := plain(r.Prompt)
	if r.Prompt == "" {
		messages, err := c.messages(r.Messages, plain)
		if err != nil {
			return 0, err
		}
		var out struct {
			Prompt string `json:"prompt"`
		}
		if err := c.beside(ctx, "apply-template", map[string]any{"messages": messages}, &out); err != nil {
			return 0, err
		}
		prompt = out.Prompt
	}
	var out struct {
		Tokens []json.RawMessage `json:"tokens"`
	}
	err = c.beside(ctx, "tokenize", map[string]any{"content": prompt, "add_special": true, "parse_special": true}, &out)
	return len(out.Tokens), err
}

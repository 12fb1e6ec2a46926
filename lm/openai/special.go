package openai

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/whetgo/whet/lm"
)

// tokenLike are texts that may be a special token of some model: "<|im_end|>",
// "<start_of_turn>", "</s>", "[INST]", "<<SYS>>" and their like.
var tokenLike = regexp.MustCompile(`<[^\s<>]{1,64}>|\[/?[A-Z_]{2,32}\]`)

// joiner stands, without width, inside of a text that would be special.
const joiner = "\u200D"

// maxSpecials is how many texts a model remembers to be special, or not.
const maxSpecials = 4096

// specials knows which texts the server takes for special tokens.
type specials struct {
	mu    sync.Mutex
	known map[string]bool
}

func newSpecials() *specials { return &specials{known: map[string]bool{}} }

// plain returns what makes text of the special tokens in texts. The server is asked about
// each candidate once.
func (s *specials) plain(ctx context.Context, c *client, texts []string) (func(string) string, error) {
	same := func(text string) string { return text }
	if !c.dialect.Tokenize {
		return same, nil
	}
	var pairs []string
	seen := map[string]bool{}
	for _, text := range texts {
		for _, candidate := range tokenLike.FindAllString(text, -1) {
			if seen[candidate] {
				continue
			}
			seen[candidate] = true
			special, err := s.special(ctx, c, candidate)
			if err != nil {
				return nil, err
			}
			if special {
				pairs = append(pairs, candidate, broken(candidate))
			}
		}
	}
	if len(pairs) == 0 {
		return same, nil
	}
	return strings.NewReplacer(pairs...).Replace, nil
}

// broken puts a joiner behind the first character.
func broken(token string) string {
	_, n := utf8.DecodeRuneInString(token)
	return token[:n] + joiner + token[n:]
}

// special reports whether a text is one token when special tokens are read, and more than
// one when they are not.
func (s *specials) special(ctx context.Context, c *client, text string) (bool, error) {
	s.mu.Lock()
	special, ok := s.known[text]
	s.mu.Unlock()
	if ok {
		return special, nil
	}
	read, err := c.tokenize(ctx, text, true)
	if err != nil {
		return false, err
	}
	plain, err := c.tokenize(ctx, text, false)
	if err != nil {
		return false, err
	}
	special = read < plain
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxSpecials {
		clear(s.known)
	}
	s.known[text] = special
	return special, nil
}

// tokenize returns how many tokens llama-server makes of a text. Its interface is beside
// that of OpenAI, and not below.
func (c *client) tokenize(ctx context.Context, text string, special bool) (int, error) {
	var out struct {
		Tokens []json.RawMessage `json:"tokens"`
	}
	if err := c.beside(ctx, "tokenize", map[string]any{"content": text, "parse_special": special}, &out); err != nil {
		return 0, err
	}
	if len(out.Tokens) == 0 && text != "" {
		return 0, c.failure(lm.ErrBackend, "the server makes no tokens of a text; is it llama-server? See UseDialect")
	}
	return len(out.Tokens), nil
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

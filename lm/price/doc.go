// Package price says what calls of language models cost, by a table of providers' list
// prices that is part of the program: nothing is fetched at run time.
//
//	model = price.With(price.Default())(model) // sets Response.Usage.Cost
//
// [Table.Cost] works one call out, exactly, in whole numbers: prices are held to 12 digits
// behind the point, and the sum is rounded once, half up, to a billionth of a dollar
// ([lm.Money]). The day of the call chooses among dated prices, the hour among those of a
// time of day (UTC), and the length of the prompt the tier, which holds for all tokens of
// the call. Tokens that were read from a provider's cache, written into it, or spent on
// thoughts cost what the table says of them, and where it says nothing what other tokens
// of the prompt or the reply cost. What a deal, a batch or a priority changes is chosen
// with [Table.When].
//
// # What is not known
//
// A cost that is not known is never 0: the second result is false, and [With] leaves
// [lm.Usage.PricedCalls] as it is, so that [lm.Usage.CostKnown] reports false. It is not
// known for a provider or model that the table does not have, or has without prices; for a
// model that is paid by the second, the page, the letter or the citation, which [lm.Usage]
// does not count; for a usage without tokens; and, behind [With], for a request that holds
// pictures or files where the model has another price for those than for text, or sounds
// where it has not the same and the usage does not tell how many tokens they are. It is not
// known either for a reply with tokens of sound, and for a prompt with some of which a part
// was cached.
//
// A few things are taken for what they usually are: tokens written into a cache for the
// shortest time on offer, a model's pictures in a reply for text, and the provider's
// own tools, such as a search, for not used.
//
// Models that run here cost nothing, and are known to: those of the providers llamacpp,
// llama-server, ollama, vllm and lmstudio, but for Ollama's models that end in "cloud".
//
// # The table
//
// prices.json is made from the Python package genai-prices, which is under the MIT licence
// (LICENSE.genai-prices), by gen/gen.py. [Table.AsOf] is the day that it is of, and
// [Table.Stale] reports one that is older than 180 days; nothing else changes then. A
// user's own prices, in the same form, go before it:
//
//	own, err := price.Read(file)
//	table := price.Default().Override(own)
//
// The form is a JSON object. All but the ids may be left out; prices are US dollars for a
// million tokens, and for a thousand calls where they are of requests:
//
//	{
//	  "as_of": "2026-11-25",
//	  "providers": [{
//	    "id": "gateway",
//	    "names": ["gateway-*"],
//	    "owns": ["house-*"],
//	    "fallback": ["openai"],
//	    "models": [{
//	      "id": "house-1",
//	      "match": ["house-1", "house-1-*", ["*house*", "!*mini*"], "re:^h1-\\d+$"],
//	      "prices": [
//	        {"input": 1, "output": [4, [200000, 6]], "cache_read": 0.1},
//	        {"from": "2027-01-01", "input": 0.8, "output": 3},
//	        {"from": "2027-01-01", "between": ["22:00", "06:00"], "input": 0.4, "output": 1.5}
//	      ],
//	      "variants": [{"when": {"processing": "batch"}, "input": 0.5, "output": 2}]
//	    }]
//	  }]
//	}
//
// Names match without regard to case. A pattern is a text, with a * at its begin, its end
// or both for anything, or "re:" and a regular expression for a part of the name in lower
// case; a "!" in front of it turns it round. Of the patterns in a list one must match, and
// of those in a list inside of it all. A model without "match" has the name that is its id.
// The first model that matches is the one, and the last of its prices whose conditions
// hold; where none does, the first. A fallback is another provider whose models this one
// offers, too. A list instead of a price is a price and its tiers: [4, [200000, 6]] is 4,
// and 6 where the prompt has more than 200,000 tokens.
//
// The prices are: input, output, cache_read, cache_write, reasoning, requests; audio,
// image and video are those of the prompt's tokens of that kind; other names what is paid
// besides and not counted here.
//
// # Errors and concurrency
//
// [Read] returns an *[lm.Error] of kind lm.ErrInvalidRequest that says what is wrong where.
// A Table does not change and is safe for concurrent use.
package price

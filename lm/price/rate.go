package price

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

const (
	// digits is how many a price may have behind its point, and unit is a dollar as an
	// amount.
	digits = 12
	unit   = 1_000_000_000_000
	// maxPrice is in dollars; it keeps an amount far from the end of int64.
	maxPrice = 1_000_000
)

// amount is a price in 1e-12 dollars, for a million tokens or a thousand requests.
type amount int64

// parseAmount reads a decimal number, exactly.
func parseAmount(s string) (amount, error) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, fmt.Errorf("the price %s is not a decimal number that is 0 or more, written without an exponent", short(s))
	}
	if len(fraction) > digits {
		return 0, fmt.Errorf("the price %s has more than %d digits behind the point", short(s), digits)
	}
	if whole = strings.TrimLeft(whole, "0"); len(whole) > len("1000000") {
		return 0, fmt.Errorf("the price %s is more than %d dollars", short(s), maxPrice)
	}
	var n uint64 // of at most 19 digits
	for _, c := range whole + fraction + strings.Repeat("0", digits-len(fraction)) {
		n = n*10 + uint64(c-'0')
	}
	if n > maxPrice*unit {
		return 0, fmt.Errorf("the price %s is more than %d dollars", short(s), maxPrice)
	}
	return amount(n), nil
}

// short is a text for a message, and not a page of one.
func short(s string) string {
	const most = 40
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return fmt.Sprintf("%q", s)
}

// rate is the price of one kind of token: base, or that of the last tier whose start the
// prompt exceeds.
type rate struct {
	base  amount
	tiers []tier
}

type tier struct {
	over  int64 // tokens of the prompt
	price amount
}

func (r *rate) at(prompt int64) amount {
	for i := len(r.tiers) - 1; i >= 0; i-- {
		if prompt > r.tiers[i].over {
			return r.tiers[i].price
		}
	}
	return r.base
}

// same reports whether two kinds of tokens cost the same, whatever the prompt.
func (r *rate) same(s *rate) bool {
	if r == nil || s == nil {
		return r == s
	}
	if r.base != s.base || len(r.tiers) != len(s.tiers) {
		return false
	}
	for i := range r.tiers {
		if r.tiers[i] != s.tiers[i] {
			return false
		}
	}
	return true
}

// UnmarshalJSON reads 2.5 or [2.5, [200000, 5]].
func (r *rate) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] != '[' {
		var err error
		r.base, err = parseAmount(string(data))
		return err
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("a price is an empty list; it is [price, [tokens, price], ...]")
	}
	var err error
	if r.base, err = parseAmount(string(list[0])); err != nil {
		return err
	}
	for _, raw := range list[1:] {
		var pair []json.RawMessage
		var t tier
		if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 {
			return fmt.Errorf("the tier %s is not [tokens, price]", short(string(raw)))
		}
		if err := json.Unmarshal(pair[0], &t.over); err != nil || t.over < 0 {
			return fmt.Errorf("the tier %s does not begin with a number of tokens", short(string(raw)))
		}
		if n := len(r.tiers); n > 0 && t.over <= r.tiers[n-1].over {
			return fmt.Errorf("the tier %s does not begin behind the one before it", short(string(raw)))
		}
		if t.price, err = parseAmount(string(pair[1])); err != nil {
			return err
		}
		r.tiers = append(r.tiers, t)
	}
	return nil
}

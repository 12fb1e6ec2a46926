package price

import (
	"errors"
	"fmt"
	"time"
)

// prices are those of a model under some conditions. A rate that is nil is not known.
type prices struct {
	From    string            `json:"from"`
	Between []string          `json:"between"`
	When    map[string]string `json:"when"`

	Input      *rate `json:"input"`
	Output     *rate `json:"output"`
	CacheRead  *rate `json:"cache_read"`
	CacheWrite *rate `json:"cache_write"`
	Reasoning  *rate `json:"reasoning"`
	Requests   *rate `json:"requests"`
	// Those of tokens of the prompt that are no text.
	Audio *rate `json:"audio"`
	Image *rate `json:"image"`
	Video *rate `json:"video"`
	// Other names what is paid besides.
	Other []string `json:"other"`

	from          time.Time
	between       bool
	opens, closes time.Duration // since midnight, UTC
}

// rates returns where each price lies.
func (p *prices) rates() []**rate {
	return []**rate{&p.Input, &p.Output, &p.CacheRead, &p.CacheWrite, &p.Reasoning, &p.Requests, &p.Audio, &p.Image, &p.Video}
}

// check reads the conditions.
func (p *prices) check() error {
	if p.From != "" {
		var err error
		if p.from, err = time.Parse(time.DateOnly, p.From); err != nil {
			return fmt.Errorf("from is %s, and not a day such as \"2026-11-25\"", short(p.From))
		}
	}
	if p.Between != nil {
		if len(p.Between) != 2 {
			return errors.New("between is not two times of the day")
		}
		p.between = true
		for i, to := range []*time.Duration{&p.opens, &p.closes} {
			clock, err := time.Parse("15:04", p.Between[i])
			if err != nil {
				return fmt.Errorf("between holds %s, and not a time such as \"22:00\"", short(p.Between[i]))
			}
			*to = time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute
		}
	}
	return nil
}

// hold reports whether the conditions hold at a time.
func (p *prices) hold(at time.Time) bool {
	at = at.UTC()
	if at.Before(p.from) {
		return false
	}
	if !p.between {
		return true
	}
	midnight := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	clock := at.Sub(midnight)
	if p.closes < p.opens {
		return clock >= p.opens || clock < p.closes
	}
	return clock >= p.opens && clock < p.closes
}

// at returns the prices of a time and a kind of call.
func (m *model) at(at time.Time, when map[string]string) prices {
	if len(m.prices) == 0 {
		return prices{}
	}
	p := m.prices[0]
	for i := len(m.prices) - 1; i >= 0; i-- {
		if m.prices[i].hold(at) {
			p = m.prices[i]
			break
		}
	}
	if len(when) == 0 {
		return p
	}
	var changed [9]bool
	to := p.rates()
	for i := range m.variants {
		v := &m.variants[i]
		if !v.meant(when) || !v.hold(at) {
			continue
		}
		for j, r := range v.rates() {
			if *r != nil && !changed[j] {
				*to[j], changed[j] = *r, true
			}
		}
		if len(v.Other) > 0 {
			p.Other = v.Other
		}
	}
	return p
}

// meant reports whether a variant is for a kind of call.
func (p *prices) meant(when map[string]string) bool {
	for key, value := range p.When {
		if got, ok := when[key]; !ok || got != value {
			return false
		}
	}
	return true
}

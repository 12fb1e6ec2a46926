package lmtest

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// oracle is SynthLM a second time, written from docs/synthlm.md alone: slow, and sharing
// nothing with the first but the types of its arguments.
type oracle struct {
	version, world      int
	base, rugged, skill int
	predictor           int // of /2, 1 or 2; else 0
	hint                string
	strategy            int
	rules               []int
	demos               []SynthDemo
	q                   int
	rollout             string
}

var oracleLabels = strings.Fields("alpha beta gamma delta")

func (o oracle) hash(parts ...any) *big.Int {
	text := fmt.Sprintf("synthlm/%d|%d", o.version, o.world)
	for _, p := range parts {
		text += "|" + fmt.Sprint(p)
	}
	sum := sha256.Sum256([]byte(text))
	return new(big.Int).SetBytes(sum[:8])
}

// mod is a hash modulo n; with the predictor of /2 behind the first part.
func (o oracle) mod(n int, parts ...any) int {
	if o.predictor > 0 {
		parts = append([]any{parts[0], o.predictor}, parts[1:]...)
	}
	return o.shared(n, parts...)
}

// shared is a hash modulo n that all predictors share.
func (o oracle) shared(n int, parts ...any) int {
	return int(new(big.Int).Mod(o.hash(parts...), big.NewInt(int64(n))).Int64())
}

func (o oracle) label(i int) string { return oracleLabels[o.shared(4, "label", i)] }
func (o oracle) typ(i int) int      { return o.shared(6, "type", i) }

func (o oracle) key() string {
	var demos []string
	for _, d := range o.demos {
		demos = append(demos, fmt.Sprintf("%04d:%s", d.Item, d.Label))
	}
	key := fmt.Sprintf("S%02d/", o.strategy)
	if o.version == 3 {
		key += "R" + strings.Trim(strings.ReplaceAll(fmt.Sprint(o.rules), " ", ""), "[]") + "/"
	}
	return key + strings.Join(demos, ",")
}

func (o oracle) gain(t int) int {
	order := []int{0, 1, 2, 3, 4, 5}
	sort.Slice(order, func(a, b int) bool {
		c := o.hash("rule", order[a]).Cmp(o.hash("rule", order[b]))
		return c < 0 || c == 0 && order[a] < order[b]
	})
	if order[0] == t || order[1] == t {
		return -1000
	}
	return 1500
}

func (o oracle) p() int {
	t := o.typ(o.q)
	x := o.base - (o.mod(3001, "diff", o.q) - 1500)
	switch {
	case o.version == 3 && o.strategy > 0:
		x += o.mod(1001, "sg", o.strategy) - 500 + o.mod(601, "sv", o.strategy, t) - 300
	case o.version > 0 && o.strategy > 0:
		x += o.mod(2001, "sg", o.strategy) - 1000 + o.mod(1201, "sv", o.strategy, t) - 600
		if len(o.demos) > 0 {
			x += o.mod(801, "sx", o.strategy) - 400
		}
	}
	if o.version == 1 || o.version == 2 {
		r, w := 0, 0
		for _, d := range o.demos {
			right := d.Label == o.label(d.Item)
			same := o.typ(d.Item) == t
			switch {
			case right && same:
				r++
			case same:
				w++
			}
			if right {
				x += o.mod(601, "dq", d.Item) - 200
			} else {
				x -= 400
			}
		}
		if r > 3 {
			r = 3
		}
		x += []int{0, 900, 1400, 1600}[r] - 500*w
		if n := len(o.demos); n > 8 {
			x -= 150 * (n - 8)
		}
	}
	if o.rugged > 0 {
		x += o.mod(2*o.rugged+1, "rug", o.key()) - o.rugged
	}
	for _, rule := range o.rules {
		if rule == t {
			x += o.gain(t)
		} else {
			x -= 60
		}
	}
	if o.predictor == 2 && o.hint != "" {
		if o.hint == o.label(o.q) {
			x += 2500
		} else {
			x -= 2500
		}
	}
	switch {
	case x < 200:
		return 200
	case x > 9800:
		return 9800
	}
	return x
}

func (o oracle) answer() string {
	if o.version == 1 || o.version == 2 {
		for i := len(o.demos) - 1; i >= 0; i-- {
			if o.demos[i].Item == o.q {
				return o.demos[i].Label
			}
		}
	}
	q4, key := fmt.Sprintf("%04d", o.q), o.key()
	u := o.mod(10000, "v", key, q4, o.rollout)
	if o.mod(10000, "mix", key, q4, o.rollout) < 6000 {
		u = o.mod(10000, "u", q4)
	}
	if u < o.p() {
		return o.label(o.q)
	}
	return oracleLabels[(o.shared(4, "label", o.q)+1+o.mod(3, "wrong", key, q4))%4]
}

// expected is the sum over the held-out items, in bp, or bp squared of /2.
func (o oracle) expected(prompts ...SynthPrompt) int {
	sum := 0
	for o.q = 1000; o.q < 3000; o.q++ {
		at := func(n int, hint string) int {
			c := o
			p := prompts[len(prompts)-1]
			if n == 1 {
				p = prompts[0]
			}
			c.predictor, c.hint, c.strategy, c.rules, c.demos = n, hint, p.Strategy, p.Rules, p.Demos
			return c.p()
		}
		if o.version != 2 {
			sum += at(0, "")
			continue
		}
		label := o.label(o.q)
		wrong := oracleLabels[0]
		if wrong == label {
			wrong = oracleLabels[1]
		}
		first := at(1, "")
		sum += first*at(2, label) + (10000-first)*at(2, wrong)
	}
	return sum
}

var (
	oracleStrategy = regexp.MustCompile(`strategy-([0-9]{2})`)
	oracleRule     = regexp.MustCompile(`(missing |has )?\brule-([0-5])\b`)
)

// propose is the k-th proposal.
func (o oracle) propose(k int, text string) string {
	drawn := 1 + o.shared(31, "propose", k)
	if o.version != 3 {
		return fmt.Sprintf("Answer the question with one label. Use strategy-%02d.", drawn)
	}
	strategy, rules := 0, map[int]bool{}
	for line := range strings.Lines(text) {
		found := oracleStrategy.FindAllStringSubmatchIndex(line, -1)
		rest, here := line, map[int]bool{}
		if len(found) > 0 {
			rest = line[found[len(found)-1][1]:]
		}
		for _, m := range oracleRule.FindAllStringSubmatch(rest, -1) {
			if m[1] == "" {
				here[int(m[2][0]-'0')] = true
			}
		}
		if len(found) > 0 || len(here) > 0 {
			strategy, rules = 0, here
		}
		if len(found) > 0 {
			last := found[len(found)-1]
			n, _ := strconv.Atoi(line[last[2]:last[3]])
			strategy = n % 32
		}
	}
	var count [6]int
	for _, m := range oracleRule.FindAllStringSubmatch(text, -1) {
		if t := int(m[2][0] - '0'); m[1] == "missing " && !rules[t] {
			count[t]++
		}
	}
	add := -1
	for t := 5; t >= 0; t-- {
		if count[t] > 0 && (add < 0 || count[t] >= count[add]) {
			add = t
		}
	}
	switch toggled := o.shared(6, "toggle", k); {
	case add >= 0 && o.shared(10000, "skill", k) < o.skill:
		rules[add] = true
	case o.shared(3, "change", k) == 0:
		strategy = drawn
	default:
		rules[toggled] = !rules[toggled]
	}
	out := fmt.Sprintf("Answer the question with one label. Use strategy-%02d.", strategy)
	for t := range 6 {
		if rules[t] {
			out += fmt.Sprintf(" Follow rule-%d.", t)
		}
	}
	return out
}

// grid returns the instructions, and each set as its key has it.
func (o oracle) grid(n, m, k int) (strategies []int, sets []string) {
	strategies = []int{0}
	have := map[int]bool{}
	for r := 0; len(strategies) < n; r++ {
		if s := 1 + o.shared(31, "grid-instr", r); !have[s] {
			have[s] = true
			strategies = append(strategies, s)
		}
	}
	sets = []string{""}
	for d := 1; d < m; d++ {
		var items []int
		for i := range 200 {
			items = append(items, i)
		}
		sort.SliceStable(items, func(a, b int) bool {
			return o.hash("grid-demo", d, items[a]).Cmp(o.hash("grid-demo", d, items[b])) < 0
		})
		var demos []string
		for _, i := range items[:k] {
			demos = append(demos, fmt.Sprintf("%04d:%s", i, o.label(i)))
		}
		sets = append(sets, strings.Join(demos, ","))
	}
	return strategies, sets
}

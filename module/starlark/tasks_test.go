package starlark_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/module/starlark"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// fix writes code anew from what the model is shown of the last one.
type fix func(previous, problem string) string

// task is something to compute. The model knows the first code, and how to mend code by the
// error; the answer it knows from the code's output alone.
type task struct {
	name, sig string
	in        signature.Record
	code      string
	fixes     []fix
	want      string // the outputs as JSON
}

// noIdea is what a model writes that was not shown what it needs.
const noIdea = `fail("no idea")`

var (
	place     = regexp.MustCompile(`^line (\d+): `)
	undefined = regexp.MustCompile(`undefined: (\w+)`)
)

// line replaces the line that the error names, if it says what is expected.
func line(expected, written string) fix {
	return func(previous, problem string) string {
		m := place.FindStringSubmatch(problem)
		lines := strings.Split(previous, "\n")
		if m == nil || !strings.Contains(problem, expected) {
			return noIdea
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || n > len(lines) {
			return noIdea
		}
		indent := lines[n-1][:len(lines[n-1])-len(strings.TrimLeft(lines[n-1], " "))]
		lines[n-1] = indent + written
		return strings.Join(lines, "\n")
	}
}

// rename replaces the name that the error calls undefined.
func rename(right string) fix {
	return func(previous, problem string) string {
		m := undefined.FindStringSubmatch(problem)
		if m == nil {
			return noIdea
		}
		return regexp.MustCompile(`\b`+m[1]+`\b`).ReplaceAllString(previous, right)
	}
}

// without drops the lines that the error is about.
func without(previous, problem string) string {
	if !strings.Contains(problem, "import is not allowed") {
		return noIdea
	}
	return line("", "pass")(previous, problem)
}

// other writes other code where the error says what is expected.
func other(expected, code string) fix {
	return func(_, problem string) string {
		if !strings.Contains(problem, expected) {
			return noIdea
		}
		return code
	}
}

var rec = signature.RecordOf

func ints(n ...int64) []signature.Value {
	out := make([]signature.Value, len(n))
	for i := range n {
		out[i] = n[i]
	}
	return out
}

var tasks = []task{
	{name: "sum", sig: "numbers: list[int] -> total: int", in: rec("numbers", ints(3, 9, 30)), code: "SUBMIT(sum(numbers))", want: `{"total":42}`},
	{name: "mean", sig: "numbers: list[int] -> mean: float", in: rec("numbers", ints(1, 2, 3, 4)), code: "SUBMIT(sum(numbers) / len(numbers))", want: `{"mean":2.5}`},
	{
		name: "median after an undefined name", sig: "numbers: list[int] -> median: int", in: rec("numbers", ints(9, 1, 5)),
		code: "s = sortiert(numbers)\nSUBMIT(s[len(s) // 2])", fixes: []fix{rename("sorted")}, want: `{"median":5}`,
	},
	{
		name: "power after an operator", sig: "base: int, exponent: int -> power: int", in: rec("base", int64(3), "exponent", int64(7)),
		code: "x = base\nSUBMIT(x ** exponent)", fixes: []fix{line("use pow", "SUBMIT(pow(x, exponent))")}, want: `{"power":2187}`,
	},
	{
		name: "primes", sig: "limit: int -> primes: list[int]", in: rec("limit", int64(20)),
		code: "p = []\nfor n in range(2, limit):\n  if all([n % q for q in p]):\n    p.append(n)\nSUBMIT(p)", want: `{"primes":[2,3,5,7,11,13,17,19]}`,
	},
	{
		name: "prime after an endless loop", sig: "n: int -> next_prime: int", in: rec("n", int64(90)),
		code: "while True:\n  if n % 2:\n    pass\nSUBMIT(n)", fixes: []fix{other("more than 100000 steps", "n += 1\nwhile not all([n % q for q in range(2, n)]):\n  n += 1\nSUBMIT(n)")}, want: `{"next_prime":97}`,
	},
	{
		name: "factorial by recursion", sig: "n: int -> factorial: int", in: rec("n", int64(12)),
		code: "def f(n):\n  return 1 if n < 2 else n * f(n - 1)\nSUBMIT(f(n))", want: `{"factorial":479001600}`,
	},
	{
		name: "factorial after a recursion without an end", sig: "n: int -> factorial: int", in: rec("n", int64(5)),
		code: "def f(n):\n  return n * f(n - 1)\nSUBMIT(f(n))", fixes: []fix{func(_, problem string) string { // whichever limit it meets first
			if !strings.Contains(problem, "endless") {
				return noIdea
			}
			return "x = 1\nfor i in range(1, n + 1):\n  x *= i\nSUBMIT(x)"
		}}, want: `{"factorial":120}`,
	},
	{
		name: "greatest divisor", sig: "a: int, b: int -> gcd: int", in: rec("a", int64(84), "b", int64(36)),
		code: "while b:\n  a, b = b, a % b\nSUBMIT(gcd=a)", want: `{"gcd":12}`,
	},
	{
		name: "leap years", sig: "years: list[int] -> leap: list[int]", in: rec("years", ints(1900, 1996, 2000, 2023)),
		code: "def leap(y):\n  return y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)\nSUBMIT([y for y in years if leap(y)])", want: `{"leap":[1996,2000]}`,
	},
	{
		name: "days between dates after an import", sig: "start: str, end: str -> days: int", in: rec("start", "2024-02-27", "end", "2024-03-02"),
		code:  "import datetime\ndef day(s):\n  y, m, d = [int(x) for x in s.split('-')]\n  if m < 3:\n    y, m = y - 1, m + 12\n  return 365 * y + y // 4 - y // 100 + y // 400 + (153 * m - 457) // 5 + d\nSUBMIT(day(end) - day(start))",
		fixes: []fix{without}, want: `{"days":4}`,
	},
	{
		name: "day of the week", sig: "year: int, month: int, day: int -> weekday: str", in: rec("year", int64(2024), "month", int64(2), "day", int64(29)),
		code: "t = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4]\ny = year - 1 if month < 3 else year\nw = (y + y // 4 - y // 100 + y // 400 + t[month - 1] + day) % 7\nSUBMIT(['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'][w])", want: `{"weekday":"Thursday"}`,
	},
	{
		name: "sorting by a key", sig: "words: list[str] -> by_length: list[str]", in: rec("words", []string{"ccc", "a", "bb"}),
		code: "SUBMIT(sorted(words, key=len))", want: `{"by_length":["a","bb","ccc"]}`,
	},
	{
		name: "sorting after a wrong method", sig: "words: list[str] -> sorted_words: list[str]", in: rec("words", []string{"pear", "apple"}),
		code: "w = list(words)\nw.sort()\nSUBMIT(w)", fixes: []fix{line("no .sort field or method", "w = sorted(w)")}, want: `{"sorted_words":["apple","pear"]}`,
	},
	{
		name: "JSON", sig: "text: str -> total: float", in: rec("text", `[{"price": 2.5, "n": 2}, {"price": 1.25, "n": 4}]`),
		code: "SUBMIT(sum([i['price'] * i['n'] for i in json.decode(text)]))", want: `{"total":10.0}`,
	},
	{
		name: "JSON after a missing key", sig: "text: str -> cities: list[str]", in: rec("text", `[{"city": "Bonn"}, {"town": "Ulm"}]`),
		code: "out = []\nfor x in json.decode(text):\n  out.append(x['city'])\nSUBMIT(out)", fixes: []fix{line(`key "city" not in dict`, "out.append(x.get('city') or x['town'])")}, want: `{"cities":["Bonn","Ulm"]}`,
	},
	{
		name: "words counted", sig: "text: str -> most: str, times: int", in: rec("text", "the cat and the dog and the cow"),
		code: "n = {}\nfor w in text.split():\n  n[w] = n.get(w, 0) + 1\nmost = max(n, key=n.get)\nSUBMIT({'most': most, 'times': n[most]})", want: `{"most":"the","times":3}`,
	},
	{
		name: "two errors in turn", sig: "text: str -> reversed_text: str", in: rec("text", "abc"),
		code: "s = txt\nr = reversed(s)\nSUBMIT(''.join(r))", fixes: []fix{rename("text"), line("got string, want iterable", "r = reversed(s.elems())")}, want: `{"reversed_text":"cba"}`,
	},
	{name: "printed, not submitted", sig: "a: int, b: int -> product: int", in: rec("a", int64(12), "b", int64(12)), code: "print(a * b)", want: `{"product":144}`},
	{
		name: "no result at first", sig: "a: int, b: int -> difference: int", in: rec("a", int64(50), "b", int64(8)),
		code: "d = a - b", fixes: []fix{func(previous, problem string) string {
			if !strings.Contains(problem, "neither handed a result over") {
				return noIdea
			}
			return previous + "\nSUBMIT(d)"
		}}, want: `{"difference":42}`,
	},
	{
		name: "division by zero, twice", sig: "numbers: list[int] -> ratios: list[float]", in: rec("numbers", ints(4, 0, 8)),
		code: "r = []\nfor n in numbers:\n  r.append(8 / n)\nSUBMIT(r)", fixes: []fix{
			line("division by zero", "r.append(8 / n if n else x)"), rename("-1.0"),
		}, want: `{"ratios":[2.0,-1.0,1.0]}`,
	},
	{
		name: "what was printed before the error", sig: "secret: int -> found: int", in: rec("secret", int64(77)),
		code: "print('it is', secret * 2)\nfail('stop')", fixes: []fix{func(_, problem string) string {
			m := regexp.MustCompile(`it is (\d+)`).FindStringSubmatch(problem)
			if m == nil {
				return noIdea
			}
			return "SUBMIT(" + m[1] + " // 2)"
		}}, want: `{"found":77}`,
	},
	{
		name: "Fibonacci", sig: "n: int -> fibonacci: list[int]", in: rec("n", int64(10)),
		code: "a, b, out = 0, 1, []\nwhile len(out) < n:\n  out.append(a)\n  a, b = b, a + b\nSUBMIT(out)", want: `{"fibonacci":[0,1,1,2,3,5,8,13,21,34]}`,
	},
	{
		name: "knapsack", sig: "weights: list[int], values: list[int], room: int -> best: int", in: rec("weights", ints(1, 3, 4, 5), "values", ints(1, 4, 5, 7), "room", int64(7)),
		code: "best = [0] * (room + 1)\nfor i in range(len(weights)):\n  for w in range(room, weights[i] - 1, -1):\n    best[w] = max(best[w], best[w - weights[i]] + values[i])\nSUBMIT(best[room])", want: `{"best":9}`,
	},
}

var section = regexp.MustCompile(`(?s)\[\[ ## (\w+) ## \]\]\n(.*?)(?:\n\n|\z)(?:(?:\[\[ ## )|\z|Respond with)`)

// shown returns the fields of the last message of a request.
func shown(r *lm.Request) map[string]string {
	text := r.Messages[len(r.Messages)-1].Text()
	fields := map[string]string{}
	for text != "" {
		m := section.FindStringSubmatchIndex(text)
		if m == nil {
			break
		}
		fields[text[m[2]:m[3]]] = text[m[4]:m[5]]
		text = text[m[5]:]
	}
	return fields
}

// model is the scripted model of a task. It knows nothing but the request.
func (k task) model() *lmtest.Scripted {
	return lmtest.Answer(func(r *lm.Request) (string, error) {
		got := shown(r)
		reply := "[[ ## reasoning ## ]]\nI compute it.\n\n"
		switch {
		case got["code_output"] != "":
			v, err := signature.ParseValue([]byte(got["code_output"]))
			if err != nil {
				return "", fmt.Errorf("code_output %q: %w", got["code_output"], err)
			}
			for _, f := range signature.MustParse(k.sig).Outputs() {
				item := v
				if d, ok := v.(signature.Record); ok {
					item, _ = d.Get(f.Name)
				}
				text, isText := item.(string)
				if !isText {
					if text, err = signature.MarshalPython(item); err != nil {
						return "", err
					}
				}
				reply += "[[ ## " + f.Name + " ## ]]\n" + text + "\n\n"
			}
			return reply + "[[ ## completed ## ]]", nil
		case got["error"] != "":
			code := noIdea
			for _, f := range k.fixes {
				if c := f(got["previous_code"], got["error"]); c != noIdea {
					code = c
					break
				}
			}
			return reply + "[[ ## generated_code ## ]]\n```python\n" + code + "\n```\n\n[[ ## completed ## ]]", nil
		}
		return reply + "[[ ## generated_code ## ]]\n```python\n" + k.code + "\n```\n\n[[ ## completed ## ]]", nil
	})
}

// TestTasks solves tasks with a model that works from what it is shown: the error of its
// last code, and the output of the code that ran.
func TestTasks(t *testing.T) {
	t.Parallel()
	if len(tasks) < 20 {
		t.Fatal("want 20 tasks or more")
	}
	interpreter := starlark.Must(starlark.MaxSteps(100_000), starlark.Concurrency(4))
	for _, k := range tasks {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			solve, err := module.NewDynamicProgramOfThought(signature.MustParse(k.sig), interpreter, module.WithLM(k.model()))
			if err != nil {
				t.Fatal(err)
			}
			ctx, tr := trace.Start(t.Context())
			pred, runs, err := solve.CallCode(ctx, k.in)
			if err != nil {
				t.Fatal(err)
			}
			text, err := signature.MarshalValue(pred.Out)
			if err != nil || string(text) != k.want {
				t.Errorf("%s, %v; want %s", text, err, k.want)
			}
			if len(runs) != 1+len(k.fixes) || len(module.CodeRuns(tr)) != len(runs) {
				t.Errorf("%d pieces of code, want %d: %+v", len(runs), 1+len(k.fixes), runs)
			}
			if pred.Usage.Calls != len(runs)+1 {
				t.Errorf("%d calls for %d pieces of code", pred.Usage.Calls, len(runs))
			}
		})
	}
}

// TestTasksFail shows that the tasks can fail: their models are shown what is stale or
// missing.
func TestTasksFail(t *testing.T) {
	t.Parallel()
	interpreter := starlark.Must(starlark.MaxSteps(100_000), starlark.Concurrency(4))
	for _, k := range tasks {
		for name, change := range map[string]func(name string) bool{
			"output": func(f string) bool { return f == "code_output" },
			"error":  func(f string) bool { return f == "error" },
		} {
			if name == "error" && k.fixes == nil {
				continue
			}
			t.Run(k.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				solve, err := module.NewDynamicProgramOfThought(signature.MustParse(k.sig), interpreter, module.WithLM(k.model()))
				if err != nil {
					t.Fatal(err)
				}
				ctx := module.Intercept(t.Context(), func(ctx context.Context, c module.PredictorCall, next module.PredictorFunc) (*module.Prediction[signature.Record], error) {
					for f := range c.Inputs.All() {
						if change(f) {
							c.Inputs = c.Inputs.With(f, `"that of another call"`)
						}
					}
					return next(ctx, c)
				})
				out, err := solve.Run(ctx, k.in)
				if text, _ := signature.MarshalValue(out); err == nil && string(text) == k.want {
					t.Error("solved although it was shown something else")
				}
			})
		}
	}
}

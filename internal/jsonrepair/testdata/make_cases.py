"""Writes cases.json: texts, and what json_repair.loads makes of them.

Run it with the Python of a DSPy environment, from any directory:

    python internal/jsonrepair/testdata/make_cases.py

The texts are ours; the values are json_repair's. A new run with the same version
of json_repair writes the same file.
"""

import importlib.metadata
import json
import pathlib

import json_repair

GROUPS = {
    "well-formed": [
        '{}', '[]', '""', '"text"', 'true', 'null', '42', '42.0', '-0', '-0.0', '1e3', '1E-2', '0.1',
        '9223372036854775807', '9223372036854775808', '-9223372036854775809', '123456789012345678901234567890',
        '{"answer": 42, "score": 42.0}', ' \n{"a": [1, 2.5, "x", true, false, null]}\n',
        '{"z": 1, "a": 2, "m": {"y": 3, "b": []}}', r'{"s": "tab\t quote\" slash\/ back\\ \u00e9 \ud83d\ude00"}',
        '{"日本": "語", "é": "ß"}', '{"a": 1, "a": 2}', '{"a": 1, "b": 2, "a": 3}', '[[], [[]], {}]', '{"": 1}',
    ],
    "nothing": [
        '', ' ', '\n\n', 'The answer is Paris.', 'Paris', '42 apples', 'True', 'None', '"Paris', "'Paris'", '“Paris”',
        'no, none at all', '}', ']', ']]}}', ':', ',', '...', '```', '```json\n```', '# heading', '// comment', '/* open',
        'a: b', 'x = (see below)', '1,234', '3.14 is pi', 'yes/no', '<answer>42</answer>', '\\', '\\n',
    ],
    "text around": [
        'Here is the answer:\n{"answer": "Paris"}\nHope this helps!',
        'Sure! {"answer": "Paris", "sources": ["a", "b"]}', '{"answer": "Paris"} I hope this helps.',
        '{"answer": "Paris"}\n\nNote: "Paris" is in France.', 'The list is [1, 2, 3].', 'Result: [1, 2, 3] and {"a": 1}',
        '{"answer": "Paris",} I hope, this helps.', 'Answer (short): {"answer": "x"}', 'f(x) = {"a": 1}',
        'I think [maybe] it is {"a": 1}', 'Set {x} then {"a": 1}', '{"a": 1}}', '{"a": 1}]', '[1, 2]]', '{{"a": 1}}',
        '{"a": "b"}.', '"reasoning": "why", "answer": "Paris"}', '"a": 1, "b": [2]}', ' "a": 1}', "'a': 1}",
        'x "a": 1}', '"a" and {"b": 1}', '"quoted" prose, then {"a": 1} and more', 'a / b: {"x": 1}', 'C# code {"x": 1}',
        '<think>{draft}</think>{"a": "b"}', 'http://x.y/z {"a": 1}', 'Step 1. [ok]\nStep 2. [ok]',
    ],
    "fences": [
        '```json\n{"a": 1}\n```', '```\n{"a": 1}\n```', '```json\n[1, 2]\n```\n', 'Text\n```json\n{"a": "b"}\n```\nmore text',
        '```json\n{"a": "b"\n```', '```json\n{"a": "b', '```json\n{"a": "b}\n```', '```json\n{"a": b}\n```',
        '```json\n{"a": 1,}\n```', "```python\n{'a': 1}\n```", '```json\n{"a": 1}\n```\n```json\n{"b": 2}\n```',
        '```json\n{"a": 1}\n```\n\n```json\n{"a": 2}\n```', '{"code": "```py\nx = {1}\n```"}', '{"code": "f() {}\n```"}',
        '{"a": "```json\n{"b": 1}\n```"}', '{"a": "x}\n```\n', '{"a": "{x}\n```js\n{y}\n```\n", "b": 1}', '`{"a": 1}`',
    ],
    "quotes": [
        "{'a': 'b'}", "{'a': \"b\"}", "{'a': 'it''s'}", "{'a': 'it\\'s'}", "{'a': 'it's ok'}", '{“a”: “b”}', '{"a": “b”}',
        '{“a": "b”}', "{‘a’: ‘b’}", '{"a": \'b\'}', '{a: "b"}', '{a: b}', '{a: b c d}', '{a: b, c: d}', '{"a: "b"}', '{a": "b"}',
        '{"a": b"}', '{"a": "b}', '{"a": "b, "c": "d"}', '{"a": "b", c: "d"}', '{"a": ""b""}', '{""a"": ""b""}', '{"a": ""}',
        '{"a": "", "b": ""}', '{"a": "" "b": 1}', '["a", ""b"", "c"]', '[“a”, “b”]', "['a', 'b']", '["a, "b"]', '["a", b", "c"]',
        '{"a": "he said "hi" to me"}', '{"a": "he said "hi", and left", "b": 1}', '{"a": ""hi" he said", "b": 1}',
        '{"a": "he said "hi""}', '["he said "hi" to me", "b"]', '["say "a" or "b" now", "c"]', '{"a "b" c": 1}',
        '{"a": "x" "y" "z"}', '{"a": "5" tall", "b": "6\'"}', '{"a": "„low“ and „high”", "b": 1}', '{"a": "„x", "b": 1}',
        '{"re": "[^"]+", "b": 1}', '{"a": "f("x", 1)", "b": 2}', '{"a": "b" , "c": "d" }', "{'name': 'O'Brien', 'age': 5}",
        '{"html": "<a href="x">y</a>"}', '{"a": "one", two", "b": 3}', '{"a": "b: "c""}', '{"a": "x"y", "b": "z"}',
    ],
    "escapes": [
        r'{\"a\": 1}', r'{\"a\": \"b\", \"c\": [1, 2]}', r'[{\"a\": 1}, {\"a\": 2}]', r"{\'a\': 1}", r'{"a": "\q \d+ \. \/",}',
        r'{"a": "C:\temp\new",}', r'{"a": "C:\\temp\\new",}', r'{"a": "\\\\server\\x",}', r'{"a": "x\\", "b": 1,}',
        r'{"a": "x\", "b": 1}', r'{"a": "\u00e9\x41\u12",}', r'{"a": "\u00zz",}', r'{"a": "line\nline\ttab\r\b",}',
        r'{"a": "\'single\'",}', r"{'a': '\"double\"',}", r'{"a": "\\n",}', r'{"a": "say \\"hi\\" now",}', r'{"a": "b\\\"c",}',
        r'{"a": "\frac{1}{2}",}', r'{"a": "$\alpha$ and \(x\)",}', r'{"a": "\\(x\\) \\frac{1}{2}",}', r'["\"a\"", "b",]',
        r'{"a": "\", "b": "c"}', '{"a": "x\\', '{"a": "x\\"', '{"a": "\\u12', '{"a\\"b": 1,}', '"{\\"a\\": 1}', '\\{"a": 1}',
    ],
    "newlines": [
        '{"a": "x\ny"}', '{"a": "x\n"}', '{"a": "\nx\n\ny\n"}', '{"a":\n"x"\n"b":\n"y"\n}', '["a\nb", "c"]', '{"a": "x\ty"}',
        '{"a": x\n"b": y\n}', '{"a": x\nb: y\n}', '{a: 1\nb: 2\nc: 3}', '{"a": "x\r\ny", "b": 1}', '["a"\n"b"\n"c"]', '[a\nb\nc]',
        '{"poem": "Roses,\nviolets,\n"blue"", "n": 2}',
    ],
    "python": [
        "{'a': True, 'b': False, 'c': None}", '[True, False, None]', '{"a": TRUE, "b": NULL}', '{"a": none}', '{"a": nonexistent}',
        '{"a": Truely}', '{"a": true story}', '(1, 2, 3)', '(1)', '()', '(1,)', '("a", "b")', '{"a": (1, 2)}', '{"a": (1)}',
        '{"a": ()}', '[(1, 2), (3, 4)]', '((1, 2), (3,))', '("a")', '(note)', '(1, 2) is a tuple', 'A tuple:\n(1, 2)', '{1, 2, 3}',
        "{'a', 'b'}", '{"x": {1, 2}}', '[{1, 2}, true, "x"]', '{"a"}', '{"a", "b": 1}', "{'a': 1_000}", '{1: "a", 2: "b"}',
        '{"a": "b" + "c"}', 'dict(a=1)', "[{'a': 1}, {'a': 2}]", "{'a': None, 'b': [None, True]}", '{"a": set()}', '{None: 1}',
    ],
    "commas and colons": [
        '{"a": 1,}', '[1, 2,]', '[1,, 2]', '{"a": 1,, "b": 2}', '{,"a": 1}', '[,1]', '{"a": 1 "b": 2}', '{"a": "x" "b": "y"}',
        '[1 2 3]', '["a" "b"]', '{"a" 1}', '{"a" "b"}', '{"a" = 1}', '{"a": = 1}', '{"a":: 1}', '{: 1}', '{"a":}', '{"a": , "b": 1}',
        '{"a": 1, "b":}', '{"a": 1, "b"}', '{"a"}', '{a}', '{"a": 1; "b": 2}', '[1; 2]', '{"a" => 1}', '{"a": [1, 2, ], }',
        '{"a": 1\n, "b": 2}', '{"a": [1, 2 "b": 3}', '{"a", 1}', '{"k": v, }', '[[1, 2] [3, 4]]', '[{"a": 1} {"a": 2}]',
        '[{"a": 1}, , {"b": 2}]', '{"a": "b"; "c": "d"}',
    ],
    "cut off": [
        '{', '[', '{"', '{"a', '{"a"', '{"a":', '{"a": ', '{"a": "', '{"a": "b', '{"a": "b"', '{"a": "b",', '{"a": "b", "c',
        '{"a": "b", "c": ', '{"a": 1', '{"a": -', '{"a": 1.', '{"a": tr', '{"a": true', '{"a": [', '{"a": [1', '{"a": [1,', '{"a": [1, 2',
        '{"a": ["x", "y', '{"a": {"b": {"c": "d', '[1, 2', '["a', '["a",', '[{"a": 1}, {"a"', '[[1, 2], [3', '{"a": "one, two', '{"a": "x: y, z: ',
        '{"a": "it said "yes', '{"a": [{"b": 1}, {"b": 2', '{"a": "b"}, {"a', '{"reasoning": "First we add 2 and 3.\nThen', "{'a': 'b", '{a: b',
        '{"a": "b\n', '{"a": "b  ', '[tr', '[1, ', '{"a": (1, 2',
    ],
    "brackets": [
        '{"a": [1, 2}', '{"a": [1, 2}, "b": 3}', '{"a": {"b": 1}', '[{"a": 1]', '[{"a": 1, "b": 2], 3]', '[{"a": 1}}, {"b": 2}]', '{"a": 1]]}',
        '{"a": [1, 2]], "b": 3}', '{"a": ["x", "y", "b": 1}', '{"a": [{"x": 1}, "b": 2}', '["a": 1, "b": 2]', '["a": 1], ["b": 2]', '[[1, 2, [3, 4]]',
        '{"a": "b"}, "c": "d"}', '{"a": {"b": 1}}, "c": 2}', '{"rows": [[1, 2], [3, 4]], [5, 6]}', '{"rows": [1, 2], [3, 4], "b": 1}',
        '{"rows": [[1, 2], 3, 4], [5, 6]}', '[{a: 1, b: 2, a: 3, b: 4}]', '[{"a": 1, "b": 2, "a": 3}]', '[{"a": 1 "a": 2}]', '{[1, 2]}', '{[}', '[}', '{]',
        '{"a": 1, {"b": 2}}', '{"a": {"b": 1, "c": 2}', '{"a": [}', '{ }', '{  \n}', '{{}}', '[[[]', '{"a": "x {y} z}', '{"a": "{x}", "b": "[y"}',
        '{"a": "see [1], {2}, and (3)", "b": 1,}', '{"a": x {y: 1} z, "b": 2}',
    ],
    "comments": [
        '{"a": 1 // one\n}', '{"a": 1, // one\n"b": 2}', '{"a": 1, # one\n"b": 2}', '{/* c */ "a": /* d */ 1}', '{"a": 1 /* open', '[1, // x\n2]', '[1, # x ]',
        '{"a": 1} // done', '// first\n{"a": 1}', '# Title\n\n{"a": 1}', '/* c */ [1, 2]', '{"a": "http://x.y"}', '{"a": http://x.y}', '{"a": "# no", "b": 1,}',
        '{"a": 1,\n# note: b\n"b": 2}', '{"a": [1, /* two */ 3]}', '{// only\n}', '{# only }', '{"a": // none\n "b"}', '# a\n# b\n- c {"d": 1}',
    ],
    "numbers": [
        '[1,234]', '{"a": 1,234}', '{"a": 1,234, "b": 2}', '{"a": $1,234.50}', '{"a": 1.2.3}', '{"a": 10/20}', '{"a": 1-2}', '[10/20, 1-2, 1.2.3]',
        '{"a": 2024-01-31}', '{"a": 12:30}', '{"a": 5%}', '{"a": 3rd}', '{"a": 12px}', '{"a": .5}', '{"a": -.5,}', '{"a": 5.}', '{"a": +5}', '{"a": 007}', '{"a": 1e5,}',
        '{"a": 1e, "b": 2}', '{"a": 1e+5,}', '{"a": --5}', '{"a": 1_000,}', '{"a": 0x1F}', '[1.0, 2., 3]', '{"a": 9223372036854775808,}', '{"a": -, "b": 1}',
        '{"a": 42.0,}', '{"a": 42,}', '{"a": 1 000}', '{"a": 1/2 cup}', '{"a": ½}', '{"a": ²}', '{"a": 1.5e300,}', '[-]', '[1-]', '{"a": 10 / 2}', '{"a": 5, 6, 7}',
    ],
    "ellipsis": [
        '[1, 2, ...]', '["a", ...]', '["a", "..."]', '{"a": ...}', '{"a": [1, ...], "b": 2}', '{"a": 1, ...}', '[...]', '["a", ..., "b",]', '{"a": "...", "b": …}',
    ],
    "several": [
        '{"a": 1}{"b": 2}', '{"a": 1}\n{"b": 2}', '{"a": 1}, {"b": 2}', '{"a": 1} {"a": 2}', '{"a": 1}, {"a": 2}', '{"a": 1}\n{"a": "x"}', '[1] [2]', '[1], [2]', '[] [1]',
        '{} {"a": 1}', '{"a": 1} {}', '[1]{"a": 1}', '{"a": 1}{"b": 2}{"a": 3}', '{"a": 1} or {"a": 2} or {"a": 3}', '[1, 2] [3]', '{"a": [1]} {"a": [1, 2]}', '[[]] [[]]',
        '{"a": null} {"a": 1}', '{"a": 1.0}{"a": 1}', '{"a": 1} text {"b": "2",}', '(0) {"a": 1}', '{"a": {"b": 1}} {"a": {"b": 2}}', '[{"a": 1}] and [{"a": 2}]',
    ],
    "answers": [
        '{"reasoning": "The capital of France, as everyone knows, is Paris", "answer": Paris}',
        '{"reasoning": "We know that x = 3, y: 4, so "x + y" is 7.", "answer": 7}',
        '{"reasoning": The sum is 7, "answer": 7}', '{reasoning: "ok", answer: [1, 2, 3],}', '{"answer": "Paris", "confidence": 0.9 (high)}',
        '{"answer": "Paris"\n"confidence": 0.9}', '{"answer": Paris, France}', '{"answer": "Paris, France}', '{"title": "A: B, C", "list": ["x: y", "z"],}',
        '{"code": "def f(x):\\n    return {\'a\': x}",}', '{"code": "if (a) { b(); }", "lang": "js",}', '{"code": if (a) { b(); }, "lang": "js"}',
        '{"tool": "search", "args": {"q": "weather in "Paris""}}', '{"tool": "search", "args": {q: weather, n: 3}}', "{'tool': 'finish', 'args': {}}",
        '{"labels": [positive, negative], "best": positive}', '{"answer": "yes", "why": "because it is", }', '[ ## answer ## ]\n{"a": 1}',
        '{"answer": "Yes" (as stated), "why": "x"}', '{"text": "a, b: c, d", "n": 1', '{"a": "b", "c": "d" "e": "f", g: h}', '{\n  "a": "b"\n  "c": [\n    "d"\n    "e"\n  ]\n}',
        '{"a": "b",\n\n"c": "d",\n}', '{"answer": "<b>bold</b> & "q"", "n": 3}', '{"path": "C:\\Users\\me", "ok": true}', '**{"a": 1}**', '- {"a": 1}\n- {"a": 2}', '1. {"a": 1}\n2. {"b": 2}',
        '{"answer": {"city": Paris, "land": "France", "pop": 2,100,000}}', '{"q": "What is 2 + 2?", "choices": ["3", "4", "5"], "answer": B) 4}',
    ],
}


def main() -> None:
    cases = []
    for group, texts in GROUPS.items():
        for text in texts:
            want = json_repair.loads(text)
            json.dumps(want, allow_nan=False)
            cases.append({"group": group, "text": text, "want": want})
    out = {"json_repair": importlib.metadata.version("json_repair"), "cases": cases}
    lines = ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases)
    head = json.dumps(out["json_repair"])
    path = pathlib.Path(__file__).with_name("cases.json")
    path.write_text('{"json_repair": %s, "cases": [\n%s\n]}\n' % (head, lines), encoding="utf-8")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()

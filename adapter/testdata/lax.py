"""Writes lax.json: what DSPy 3.4.1 makes of texts under a chat marker and of values in a JSON object, by type.

Run: pip install dspy==3.4.1 && python lax.py > lax.json
"""

import enum
import json
import math
import warnings
from datetime import datetime, timezone
from typing import Any, Literal, Optional, Union

import dspy
from dspy.adapters.utils import parse_value
from pydantic import BaseModel

warnings.filterwarnings("ignore")


class Color(enum.Enum):
    RED = "r"
    BLUE = "b lue"


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class M(BaseModel):
    a: int
    b: Optional[str] = None


class N(BaseModel):
    a: int
    c: int = 0


class O(BaseModel):
    a: int
    b: Optional[str]


class P(BaseModel):
    m: M
    q: int = 0
    tags: list[Literal["x", "y"]] = []


names = dict(dspy=dspy, datetime=datetime, Any=Any, Literal=Literal, Optional=Optional, Union=Union,
             Color=Color, Level=Level, M=M, N=N, O=O, P=P)

scalars = ["", "5", "-5", "+5", "- 5", "007", "1_000", "1__0", "0x10", "7.0", "7.", "7.50", ".5", "1e3", "2.5e1", "1e400",
           "NaN", "inf", "1,234", "0,5", "95%", "1 2", "42 apples", "about 7", "7 - no", "--7", "~5", "1+2j", "(7)", "[7]",
           "True", "true", "TRUE", "False", "yes", "No", "on", "off", "t", "y", "1", "0", "1.0", "0.0", "2", "Yes.", "maybe",
           "None", "null", "none", "'5'", '"5"', '"7', "'a'", '"a"', "''a''", "a'", "a", "b", " a ", "A", "a.", "Literal[a]",
           "Literal['a']", 'str["b"]', "Literal[ a ]", "Literal[2]", "'1'", "x", "r", "RED", "Red", "b lue", "BLUE", "LOW",
           "r'x'", "'a' 'b'", "'a\\nb'", "'''x'''", "u'x'", "f'x'", "5 # five", "5\n", "5\n6", "1, 2", "1, 2, 3", "1,", "'a', 'b'",
           '"a", "b"', "a, b", "1, 'a'", "True, None", "set()", "...", "hello world", "The [1] here", "so {x} it is", "99999999999999999999"]
times = ["2024-05-06", "2024-05-06T07:08", "2024-05-06 07:08:09", "2024-05-06_07:08", "2024-05-06t07:08:09z", "2024-05-06T07:08:09.1",
         "2024-05-06T07:08:09,5", "2024-05-06T07:08:09.123456", "2024-05-06T07:08:09+02", "2024-05-06T07:08:09+0200",
         "2024-05-06T07:08:09+02:00", "2024-05-06T07:08:09-11:30", "2024-05-06T07:08:09 +02:00", "2024-05-06T07:08:09-24:00",
         "2024-05-06T07", "20240506", "2024-5-6", "2024-05-06T24:00", "1700000000", "1700000000.5", "1700000000000", "2024",
         "'2024-05-06'", '"2024-05-06"', "1e9", "2024-05-06T07:08:60", "2024-02-30", "2024-05-06T07:08:09Zx", "0001-01-01",
         "0000-01-01", "2024-05-06T", "06/05/2024", "May 6, 2024", "20000000000", "20000000001", "yesterday", "9999-12-31T23:59:59Z"]
lists = ["[]", "[1, 2]", '["1", "2"]', '["a", "b"]', "['a', 'b']", '["a", "b"', "[1, 'a']", '[1, "2", 3.0, true]', "[1,2", "(1, 2)",
         "{1, 2, 2}", "[1, 1, 1.0, true]", "[[1], [2]]", "[[1, 1]]", '```json\n["a"]\n```', "- a\n- b", "[null]", "[{}]", '[{"a": 1}]',
         '[{"a": 1, "b": "x"}]', '[{"a": 1, "c": 2}]', '["x", "y"]', '["r"]', '["RED"]', "[1, 2, 3]", '[1, "a"]', '["a", 1]',
         '["2024-05-06"]', "[1.5]", '{"a": 1}']
objects = ["{}", '{"a": 1}', '{"a": "1"}', "{'a': 1}", '{"a": 1, "b": "x"}', '{"a": 1, "b": null}', '{"a": 1, "b": 5}', '{"a": 1, "c": 2}',
           '{"a": 1, "c": 2, "b": "x"}', '{"a": 1, "zzz": [1]}', '{"b": "x"}', '{"a": null}', '{"m": {"a": 1}}',
           '{"m": {"a": "1", "b": "x"}, "q": "2"}', '{"m": {"a": 1}, "tags": ["x"]}', '{"m": {"a": 1}, "tags": ["z"]}',
           '{"m": {}}', '{"1": "a"}', '{1: "a"}', '{" 2 ": "b"}', '{"1": "a", "1.0": "b"}', '{"x": "a"}', '{"a": {"b": [1, {"c": null}]}}',
           "{a: 1}", '{"a": 1', 'text {"a": 1} text', "a: 1", "M(a=1)", "[]", "5", '"a"', "{1, 2}"]
code = ["x = 1", "```python\nx = 1\n```", "a ```b``` c", "```py\nunterminated", "``````", "```a\nb\n```\n```c\nd\n```", '{"code": "y"}',
        '{"code": "```\\nz\\n```"}', '{"code": 5}', '{"a": 1}', "42", '"q"', "'q'", "[1]", "None", "print('a')", '{"content": "y"}', "hm"]
calls = ['{"tool_calls": [{"name": "f", "args": {"x": 1}}]}', '[{"name": "f", "arguments": "{\\"x\\": 1}"}]', '{"name": "f", "args": {}}',
         '{"name": "f"}', '[{"function": {"name": "f", "arguments": {"x": 1}}, "id": "1"}]', '{"function": {}}', "[]", '{"tool_calls": []}',
         '{"tool_calls": {}}', '{"tool_calls": [5]}', "nothing", '{"name": "f", "args": [1]}', '{"name": 5, "args": {}}',
         '{"name": "f", "arguments": "no"}', '{"tool_calls": [{"name": "f"}]}', '{"tool_calls": [{"name": "f", "args": {}, "extra": 1}]}',
         '{"function": {"name": "f"}, "name": "g"}', '{"function": null, "name": "g"}', '{"function": "x"}', '{"name": "f", "args": {}, "id": 7}',
         '[{"name": "f", "args": {}}, 5]', '{"tool_calls": [{"name": "f", "args": null}]}', '{"name": "f", "args": "[1]"}']
media = ['{"url": "http://x/y.png"}', '{"url": "x"}', '{"url": "http://x", "a": 1}', '{"url": "data:image/png;base64,xx"}', '{"url": "gs://b/c"}',
         '{"url": 5}', '{"url": "http://"}', "http://x/y", "data:audio/wav;base64,xx", '{"data": "xx", "audio_format": "wav"}', '{"data": "x"}',
         '{"data": 1, "audio_format": "wav"}', '{"data": "x", "audio_format": "wav", "b": 1}', "data:audio/x-wav;base64,AA",
         "data:audio/;base64,AA", "data:audio/wav", "data:a;base64,xx", '{"file_data": "x"}', '{"file_id": "x", "filename": "n"}', "{}", "x",
         '{"file_id": "x", "b": 1}', '{"file_data": 5}', '{"messages": [{"a": 1}]}', '{"messages": []}', '[{"a": 1}]', '{"messages": [1]}',
         '{"messages": [], "x": 1}']

types = {
    "str": scalars, "Optional[str]": scalars, "int": scalars, "float": scalars, "bool": scalars, "Optional[int]": scalars,
    "Optional[float]": scalars, "Optional[bool]": scalars, "Any": scalars + lists + objects, "Union[int, str]": scalars,
    "Union[str, int]": scalars, "Union[int, float]": scalars, "Union[float, int]": scalars, "Union[bool, int]": scalars,
    "Union[int, bool]": scalars, "Union[bool, float]": scalars, "Union[int, str, None]": scalars, "Union[int, bool, None]": scalars,
    "Literal['a', 'b']": scalars, "Literal[1, 2, 'x']": scalars, "Literal[True, False]": scalars, "Literal['1', 1]": scalars,
    "Literal[None, 'a']": scalars, "Optional[Literal['a', 'b']]": scalars, "Optional[Literal[1, 2]]": scalars,
    "Color": scalars, "Optional[Color]": scalars, "Level": scalars, "Optional[Level]": scalars, "Union[Color, str]": scalars,
    "datetime": times + scalars[:20], "Optional[datetime]": times, "Union[datetime, int]": times[:4] + scalars[:8],
    "list": lists + scalars, "list[int]": lists + scalars, "list[str]": lists + scalars, "list[float]": lists, "list[bool]": lists,
    "list[Any]": lists, "list[list[int]]": lists, "list[Optional[int]]": lists, "list[Literal['x', 'y']]": lists, "list[Color]": lists,
    "list[M]": lists, "list[datetime]": lists, "Optional[list[str]]": lists + ["None", "null"], "set[int]": lists, "set[str]": lists, "set": lists,
    "tuple[int, str]": lists + scalars, "tuple[int, ...]": lists, "tuple": lists, "set[tuple[int, int]]": lists,
    "dict": objects, "dict[str, int]": objects, "dict[str, str]": objects, "dict[int, str]": objects, "dict[str, Any]": objects,
    "dict[str, list[int]]": objects, "dict[Literal['a'], int]": objects, "dict[bool, str]": objects, "dict[float, str]": objects,
    "M": objects, "O": objects, "P": objects, "Optional[M]": objects + ["None"], "Union[M, N]": objects, "Union[N, M]": objects,
    "Union[dict, M]": objects, "Union[M, dict]": objects, "Union[M, dict[str, int]]": objects, "Union[dict[str, int], M]": objects,
    "Union[int, M, dict[str, Any]]": objects, "Union[P, dict[str, Any]]": objects, "Union[M, str]": objects, "Union[M, str, None]": objects,
    "Union[list[int], list[str]]": lists, "Union[list[str], list[int]]": lists, "Union[list[float], list[int]]": lists,
    "Union[set[int], list[int]]": lists, "Union[tuple[int, int], list[str]]": lists, "Union[list[M], list[dict]]": lists,
    "Union[list[Any], list[int]]": lists, "Union[list[int], list[Any]]": lists, "Union[list[M], list[N]]": lists,
    "list[Union[int, str]]": lists, "Union[list[str], str]": lists + scalars,
    "dspy.Code": code, "Optional[dspy.Code]": code, "list[dspy.Code]": lists, "dspy.Reasoning": code, "Optional[dspy.Reasoning]": code,
    "Union[dspy.Code, str]": code, "dspy.ToolCalls": calls, "dspy.Image": media, "dspy.Audio": media, "dspy.File": media, "dspy.History": media,
}


def plain(v):
    """The value as JSON that Go can compare: sets and tuples are lists, enum members their values."""
    if isinstance(v, enum.Enum):
        return v.value
    if isinstance(v, datetime):
        return (v if v.tzinfo else v.replace(tzinfo=timezone.utc)).isoformat()
    if isinstance(v, dspy.Code):
        return v.code
    if isinstance(v, dspy.Reasoning):
        return v.content
    if isinstance(v, dspy.Image):
        return {"url": v.url}
    if isinstance(v, dspy.Audio):
        return {"data": v.data, "audio_format": v.audio_format}
    if isinstance(v, dspy.File):
        return {k: x for k, x in [("file_data", v.file_data), ("file_id", v.file_id), ("filename", v.filename)] if x is not None}
    if isinstance(v, dspy.ToolCalls):
        return {"tool_calls": [{"name": c.name, "args": c.args} for c in v.tool_calls]}
    if isinstance(v, BaseModel):
        return {k: plain(getattr(v, k)) for k in type(v).model_fields}
    if isinstance(v, dict):
        return {k if isinstance(k, str) else json.dumps(k): plain(x) for k, x in v.items()}
    if isinstance(v, (set, frozenset)):
        return sorted((plain(x) for x in v), key=repr)
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, float) and not math.isfinite(v) or not isinstance(v, (str, int, float, bool, type(None))):
        raise TypeError(f"{v!r} has no counterpart")
    return v


def parsed(v, annotation):
    try:
        got = parse_value(v, annotation)
    except Exception:
        return {"ok": False}
    try:
        return {"ok": True, "value": plain(got)}
    except TypeError as e:
        return {"ok": True, "foreign": str(e)}


out = []
for name, texts in types.items():
    annotation = eval(name, dict(names))
    cases = []
    for text in dict.fromkeys(texts):
        cases.append({"text": text, **parsed(text, annotation)})
        try:
            v = json.loads(text, parse_constant=lambda c: text)
        except ValueError:
            continue
        if not isinstance(v, str) and not (isinstance(v, float) and not math.isfinite(v)):
            cases.append({"json": v, **parsed(v, annotation)})
    out.append({"type": name, "cases": cases})
print("[\n" + ",\n".join(json.dumps(o, ensure_ascii=False) for o in out) + "\n]")

"""Writes kinds.json: the messages that DSPy 3.4.1 renders for fields of every kind, for chat and JSON.

Run: pip install dspy==3.4.1 && python kinds.py > kinds.json
"""

import enum
import json
from datetime import datetime
from typing import Any, Literal, Optional, Union

import dspy
from dspy.adapters.json_adapter import _get_structured_outputs_response_format
from pydantic import BaseModel, TypeAdapter


class Color(enum.Enum):
    RED = "r"
    BLUE = "b lue"


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Shot(BaseModel):
    name: str
    img: Optional[dspy.Image] = None


class Snippet(BaseModel):
    code: dspy.Code["go"]
    color: Color
    pair: tuple[int, str]
    either: Union[int, str]


names = dict(dspy=dspy, datetime=datetime, Any=Any, Literal=Literal, Optional=Optional, Union=Union,
             Color=Color, Level=Level, Shot=Shot, Snippet=Snippet)


def make(typ, v):
    """The Python value of a type that JSON stands for."""
    if typ is dspy.Tool:
        return dspy.Tool(lambda **kw: None, **v)
    if typ == list[dspy.Tool]:
        return [make(dspy.Tool, x) for x in v]
    return TypeAdapter(typ).validate_python(v)


def field(kind, name, text, desc="", **kw):
    return dict(side=kind, name=name, type=text, desc=desc, constraints=kw)


def i(*a, **kw):
    return field("in", *a, **kw)


def o(*a, **kw):
    return field("out", *a, **kw)


def case(name, fields, demos, inputs, instructions="Do it.", keep=False):
    ins = {f["name"]: f for f in fields if f["side"] == "in"}
    outs = {f["name"]: f for f in fields if f["side"] == "out"}
    types = {f["name"]: eval(f["type"].replace("['go']", '["go"]'), names) for f in fields}

    def info(f):
        make_field = dspy.InputField if f["side"] == "in" else dspy.OutputField
        kw = dict(f["constraints"])
        if f["desc"]:
            kw["desc"] = f["desc"]
        return types[f["name"]], make_field(**kw)

    sig = dspy.Signature({f["name"]: info(f) for f in fields}, instructions)

    def values(r):
        out = {}
        for k, v in r.items():
            if types.get(k) is dspy.History and v is not None:
                out[k] = dspy.History(messages=[values(m) for m in v["messages"]])
            elif k in types and v is not None and not (types[k] is str and isinstance(v, list)):
                out[k] = make(types[k], v)
            else:
                out[k] = v
        return out

    result = dict(name=name, instructions=instructions, fields=fields, demos=demos, inputs=inputs)
    for key, adapter in (("chat", dspy.ChatAdapter()), ("json", dspy.JSONAdapter(use_native_function_calling=False))):
        result[key] = adapter.format(sig, [values(d) for d in demos], values(inputs))
    try:
        result["schema"] = _get_structured_outputs_response_format(sig, False).model_json_schema()
    except Exception as e:
        result["schema"] = None
    return result


png = {"url": "data:image/png;base64,iVBORw0KGgo="}
web = {"url": 'https://x.test/é?a="b"'}
wav = {"data": "QUJD", "audio_format": "wav"}
pdf = {"file_data": "data:application/pdf;base64,QUJD", "filename": "é.pdf"}
tool = {"name": "add", "desc": 'Adds\nthings, "é" & it\'s.', "args": {"x": {"type": "integer"}, "y": {"type": "string", "default": "it's \"q\""}}}
calls = {"tool_calls": [{"name": "add", "args": {"x": 1, "y": "é\n"}}]}

cases = [
    case("media", [
        i("a", "str"), i("img", "dspy.Image", "pic"), i("imgs", "list[dspy.Image]"), i("by", "dict[str, dspy.Image]"),
        i("maybe", "Optional[dspy.Image]"), i("snd", "dspy.Audio"), i("doc", "dspy.File"), i("shot", "Shot"),
        i("any", "Union[str, dspy.Image]"), o("answer", "str"),
    ], [
        dict(a="A", img=web, imgs=[png, web], by={"k\"": png}, maybe=None, snd=wav, doc=pdf, shot={"name": "n", "img": png}, any="text", answer="x"),
        dict(img=png, answer="incomplete"),
    ], dict(a=" A ", img=png, imgs=[], by={}, maybe=png, snd=wav, doc={"file_id": "f1"}, shot={"name": "n", "img": None}, any=web)),
    case("image last", [i("a", "str"), i("img", "dspy.Image"), o("answer", "str")],
         [dict(a="A", img=png, answer="x")], dict(a="b", img=web)),
    case("media out", [i("a", "str"), o("img", "dspy.Image"), o("docs", "list[dspy.Image]")],
         [dict(a="A", img=png, docs=[web, png]), dict(a="B", docs=[])], dict(a="b")),
    case("code and reasoning", [
        i("code", "dspy.Code"), i("gocode", "dspy.Code['go']", "c"), i("codes", "dict[str, dspy.Code]"), i("why", "dspy.Reasoning"),
        o("thought", "dspy.Reasoning"), o("code_out", "dspy.Code['go']"), o("maybe", "Optional[dspy.Code['go']]"), o("snippet", "Snippet"),
    ], [
        dict(code="a\n  b ", gocode="x", codes={"k": "c\n"}, why="because", thought="hm", code_out="package a\n", maybe=None,
             snippet={"code": "c", "color": "r", "pair": [1, "x"], "either": 3}),
    ], dict(code="plain", gocode="  y\n", codes={}, why="w\n")),
    case("tools", [
        i("tools", "list[dspy.Tool]"), i("tool", "dspy.Tool"), i("before", "dspy.ToolCalls"),
        o("calls", "dspy.ToolCalls"), o("more", "list[dspy.ToolCalls]"), o("maybe", "Optional[dspy.ToolCalls]"),
    ], [
        dict(tools=[tool, tool], tool=tool, before=calls, calls=calls, more=[calls], maybe=None),
    ], dict(tools=[], tool=dict(tool, desc=""), before={"tool_calls": []})),
    case("choices", [
        i("col", "Color"), i("lit", "Literal[1, True, 'a', None]"),
        o("o1", "Color"), o("o2", "Literal[1, True, 'a', None]"), o("o3", "Level"), o("o4", "Optional[Color]"), o("o5", "Optional[Literal['a', \"b's\"]]"),
        o("o6", "list[Literal['a', 'b']]"), o("o7", "dict[str, Color]"), o("o8", "Literal['x']"),
    ], [
        dict(col="r", lit=None, o1="b lue", o2=1, o3=2, o4=None, o5="b's", o6=["a"], o7={"k": "r"}, o8="x"),
        dict(col="r", lit=True, o1="b lue", o2="a", o3=1, o4="r", o5=None, o6=[], o7={}, o8="x"),
    ], dict(col="b lue", lit=1)),
    case("containers", [
        i("tup", "tuple[int, str]"), i("st", "set[int]"), i("dt", "datetime"), i("free", "Any"), i("u", "Union[int, list[str]]"), i("text", "str"),
        o("o1", "tuple[int, ...]"), o("o2", "tuple"), o("o3", "list"), o("o4", "Any"), o("o5", "set[int]"), o("o6", "Union[int, str]"),
        o("o7", "Union[int, str, None]"), o("o8", "list[tuple[int, str]]"), o("o9", "Optional[list[int]]"), o("o10", "datetime"), o("o11", "set"),
        o("o12", "str"),
    ], [
        dict(tup=[1, "a"], st=[1, 3], dt="2024-01-02T03:04:05Z", free={"a": [1.0, None, True]}, u=["x"], text=[], o1=[1, 2], o2=[1, "a"], o3=[], o4="any",
             o5=[1], o6="s", o7=None, o8=[[1, "x"]], o9=None, o10="2024-01-02T03:04:05.120000Z", o11=["a"], o12=["one", "two\nlines"]),
    ], dict(tup=[1, "a"], st=[], dt="2024-01-02T03:04:05Z", free=[1e16, 1e-7, {}, []], u=5, text=["only « one"])),
    case("dicts", [i("q", "str"), o("d", "dict"), o("e", "dict[str, list[int]]"), o("f", "dict[int, str]"), o("g", "dict[str, Optional[Any]]")],
         [dict(q="x", d={"a": 1, "b": {}}, e={"k": [1]}, f={1: "x"}, g={"k": None})], dict(q="y")),
    case("constraints", [
        i("n", "int", "a number", ge=1), o("a", "int", "with desc", ge=1, le=5, multiple_of=2), o("b", "list[str]", min_length=1),
        o("c", "Optional[int]", gt=1), o("d", "float", lt=1.5), o("e", "str", max_length=3),
    ], [], dict(n=3)),
    case("history", [i("q", "str"), i("h", "dspy.History", "earlier"), i("img", "Optional[dspy.Image]"), o("a", "str"), o("n", "int")], [
        dict(q="hi", h={"messages": []}, img=None, a="hello", n=1),
    ], dict(q="And?", h={"messages": [
        {"q": "one", "a": "A", "n": 1}, {"q": "two", "img": png}, {"a": "only output"}, {"other": 1}, {"q": None, "a": None, "n": None},
    ]})),
    case("tool history", [i("q", "str"), i("h", "dspy.History"), o("t", "str"), o("calls", "dspy.ToolCalls")], [],
         dict(q="And?", h={"messages": [
             {"q": "one", "t": "x", "calls": dict(calls, tool_call_results=[{"name": "add", "value": {"r": 1}}, {"name": "b", "value": "é", "is_error": True, "call_id": "c1"}])},
             {"t": "y", "calls": calls},
         ]})),
    case("schemas", [
        i("q", "str"), o("o1", "Color"), o("o2", "Optional[Color]"), o("o3", "list[Color]"), o("o4", "Level"), o("o5", "Literal[1, 'a']"),
        o("o6", "Literal['x']"), o("o7", "tuple[int, str]"), o("o8", "list[Snippet]"), o("o9", "Optional[Shot]"), o("o10", "Shot"),
        o("o11", "Union[int, Shot]"), o("o12", "Any"), o("o13", "datetime"), o("o14", "set[int]"), o("o15_x2", "list[list[int]]"),
        o("o16", "int", default=3), o("o17", "list[str]", default=["b", "a"]), o("o18", "Optional[str]", default=None),
    ], [], dict(q="x")),
    case("no inputs", [o("a", "str")], [], {}),
    case("no history given", [i("q", "str"), i("h", "dspy.History"), o("a", "str")], [], dict(q="x")),
    case("line ends", [i("q", "str"), o("a", "str")], [], dict(q="x"), "  one\r\n   two\u2028three\f\x1cfour\n\t\n \u00a0\n    five\x85"),
    case("indents", [i("q", "str"), o("a", "str")], [dict(q="\x1f a \u3000", a="\u2029b\x0b")], dict(q="x"), "first\n\n\tsecond\n\t  third  \n"),
]
print(json.dumps({"dspy_version": dspy.__version__, "cases": cases}, ensure_ascii=False, indent=1))

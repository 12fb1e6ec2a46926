#!/usr/bin/env python3
"""Makes smollm2.json and gemma.json: what llama-server says of conversations.json.

    scripts/setup server && eval "$(scripts/setup env)"
    python3 lm/llamacpp/testdata/make_fixtures.py

For each conversation: the rendered chat template (/apply-template) and its token ids
(/tokenize, as the server itself tokenises a prompt). For each text of "continue":
its token ids and the greedy continuation of 64 tokens (/completion, no cache). Without
--ctx-checkpoints 0 the server would evaluate the last four tokens of Gemma's prompt
apart from the rest, and other kernels for other batches change a logit by up to 0.3.
Gemma's file has no chat template, so the server gets llama.cpp's own by name; without
--no-jinja it would take that name for the template's source.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
MODELS = {
    "smollm2": ("WHET_MODEL_SMOLLM2", []),
    "gemma": ("WHET_MODEL_GEMMA", ["--no-jinja", "--chat-template", "gemma"]),
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, model, flags):
        self.port = free_port()
        self.process = subprocess.Popen(
            [os.environ["WHET_LLAMA_SERVER"], "-m", model, "--port", str(self.port), "-c", "4096", "-np", "1", "-t", "1",
             "--ctx-checkpoints", "0", "--no-webui", *flags],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        for _ in range(600):
            if self.process.poll() is not None:
                sys.exit(f"llama-server ended with {self.process.returncode}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1):
                    return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        sys.exit("llama-server does not become ready")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def post(self, path, body):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as reply:
            return json.load(reply)


def tokenize(server, text):
    return server.post("/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]


def main():
    data = json.loads((HERE / "conversations.json").read_text())
    for name, (variable, flags) in MODELS.items():
        out = {"conversations": [], "continuations": []}
        with Server(os.environ[variable], flags) as server:
            for turns in data["conversations"]:
                messages = [{"role": role, "content": content} for role, content in turns]
                text = server.post("/apply-template", {"messages": messages})["prompt"]
                out["conversations"].append({"text": text, "tokens": tokenize(server, text)})
            for text in data["continue"]:
                tokens = tokenize(server, text)
                reply = server.post("/completion", {
                    "prompt": tokens, "n_predict": 64, "temperature": 0, "cache_prompt": False, "return_tokens": True})
                out["continuations"].append({"prompt": tokens, "tokens": reply["tokens"]})
        lines = ['{"conversations": [']
        lines.append(",\n".join(json.dumps(c, ensure_ascii=False) for c in out["conversations"]))
        lines.append('], "continuations": [')
        lines.append(",\n".join(json.dumps(c) for c in out["continuations"]))
        lines.append("]}\n")
        (HERE / f"{name}.json").write_text("\n".join(lines))
        print(name, len(out["conversations"]), "conversations,", len(out["continuations"]), "continuations")


main()

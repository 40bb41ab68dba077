#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes golden.jsonl: chats rendered by Jinja with chat templates, and their tokens by Hugging Face
tokenizers.

    pip install jinja2==3.1.6 tokenizers==0.23.3
    make.py REAL        REAL: a folder with published templates, NAME.jinja; may be empty

The templates here are of two kinds.  Those of models under MIT or Apache-2.0 are what the models
publish: short ones below, long ones as NAME.jinja in REAL, from where they go into the goldens.  The
others are written for this project in the manner of the model's, and where REAL has the published
one, too, every chat must come out the same from both.

A line of golden.jsonl: a template, the tokens added to tokenizers/TOKENIZER.json behind its own
ones, and its chats: messages, open (the last message is left open), the text, and the tokens, with
special tokens in messages being text.  "refused": the template itself refuses the chat.
"""
import copy
import json
import os
import sys

from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
ENV = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])


class Refused(Exception):
    pass


def refuse(text):
    raise Refused(text)


ENV.globals["raise_exception"] = refuse
ENV.filters["tojson"] = lambda x, **k: json.dumps(x, ensure_ascii=False, **k)

GENERATE = "{% if add_generation_prompt %}"
CHATML = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + "
          "'<|im_end|>' + '\\n'}}{% endfor %}" + GENERATE + "{{ '<|im_start|>assistant\\n' }}{% endif %}")
FIRST = "{% if messages[0]['role'] == 'system' %}"
TURNS = ("{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
         "{{ raise_exception('roles must alternate') }}{% endif %}")
MISTRAL_OLD = ("{{ bos_token }}{% for message in messages %}" + TURNS + "{% if message['role'] == 'user' %}"
               "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
               "{{ message['content'] + eos_token + MORE}}{% else %}{{ raise_exception('Only user and assistant "
               "roles are supported!') }}{% endif %}{% endfor %}")
R1 = ("{{bos_token}}{% set ns = namespace(s='') %}{% for message in messages %}{% if message['role'] == 'system' %}"
      "{% set ns.s = message['content'] %}{% endif %}{% endfor %}{{ns.s}}{% for message in messages %}"
      "{% if message['role'] == 'user' %}{{'<｜User｜>' + message['content']}}{% endif %}"
      "{% if message['role'] == 'assistant' %}{% set content = message['content'] %}{% if '</think>' in content %}"
      "{% set content = content.split('</think>')[-1] %}{% endif %}"
      "{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{% endif %}{% endfor %}" + GENERATE + "%s{%% endif %%}")
LLAMA31 = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = '26 Jul 2024' %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message + "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

# name: template.  None: the published one, in REAL.
TEMPLATES = {
    "openhermes": CHATML,
    "internlm2": "{{ bos_token }}" + CHATML,
    "qwen2": CHATML.replace("%}{{'<", "%}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\n"
                            "You are a helpful assistant.<|im_end|>\\n' }}{% endif %}{{'<", 1),
    "qwen2.5": None, "qwen3": None, "qwq": None,
    "trimmed": CHATML.replace("message['content'] +", "message['content'] | trim +"),
    "own-system": "{% set system_message = \"You're a \\\"demo\\\".\" %}{% if messages[0]['role'] == 'system' %}"
                  "{% set system_message = messages[0]['content'] %}{% set messages = messages[1:] %}{% endif %}"
                  "{{ '<|im_start|>system\\n' + system_message + '<|im_end|>\\n' }}" + CHATML,
    "phi-4": "{% for message in messages %}{% if (message['role'] == 'system') %}{{'<|im_start|>system<|im_sep|>' + "
             "message['content'] + '<|im_end|>'}}{% elif (message['role'] == 'user') %}{{'<|im_start|>user<|im_sep|>' + "
             "message['content'] + '<|im_end|><|im_start|>assistant<|im_sep|>'}}{% elif (message['role'] == "
             "'assistant') %}{{message['content'] + '<|im_end|>'}}{% endif %}{% endfor %}",
    "llama-3": "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + "
               "'<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
               "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}" + GENERATE +
               "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    "llama-3.1": LLAMA31,
    "llama-2": FIRST + "{% set system_message = messages[0]['content'] %}{% set messages = messages[1:] %}{% else %}"
               "{% set system_message = false %}{% endif %}{% for message in messages %}" + TURNS +
               "{% if loop.first and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + "
               "'\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}"
               "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
               "{% else %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    "mistral-v0.1": MISTRAL_OLD.replace("MORE", "' '"),
    "mistral-v0.2": MISTRAL_OLD.replace(" + MORE", ""),
    "mixtral-8x22b": MISTRAL_OLD.replace("'[INST] '", "' [INST] '").replace(
        "{{ message['content'] + eos_token + MORE", "{{ ' ' + message['content'] + ' ' + eos_token"),
    "mistral-v1": None, "mistral-v3": None, "mistral-tekken": None,
    "mistral-v7": "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + "
                  "message['content'] + '[/INST]' }}{% elif message['role'] == 'system' %}{{ '[SYSTEM_PROMPT] ' + "
                  "message['content'] + '[/SYSTEM_PROMPT]' }}{% else %}{{ ' ' + message['content'] + eos_token }}"
                  "{% endif %}{% endfor %}",
    "mistral-small": None,
    "gemma-2": "{{ bos_token }}" + FIRST + "{{ raise_exception('System role not supported') }}{% endif %}"
               "{% for message in messages %}" + TURNS + "{% if message['role'] == 'assistant' %}{% set role = 'model' %}"
               "{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + "
               "message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}" + GENERATE +
               "{{ '<start_of_turn>model\n' }}{% endif %}",
    "gemma-3": """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
    {%- set messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
{%- endif -%}
{%- for message in messages -%}
    """ + TURNS + """
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else "") }}
    {{- message['content'] | trim }}{{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\n'}}
{%- endif -%}
""",
    "phi-3-mini": "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') %}{{'<|user|>' + '\n' + "
                  "message['content'] + '<|end|>' + '\n' + '<|assistant|>' + '\n'}}{% elif (message['role'] == "
                  "'assistant') %}{{message['content'] + '<|end|>' + '\n'}}{% endif %}{% endfor %}",
    "phi-3-small": "{{ bos_token }}{% for message in messages %}{{'<|' + message['role'] + '|>' + '\n' + "
                   "message['content'] + '<|end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}"
                   "{% else %}{{ eos_token }}{% endif %}",
    "phi-3.5": None,
    "zephyr": "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + "
              "eos_token }}\n{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
              "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n"
              "{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
    "deepseek-v2": "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ 'User: ' + "
                   "message['content'] + '\n\n' }}{% elif message['role'] == 'assistant' %}{{ 'Assistant: ' + "
                   "message['content'] + eos_token }}{% else %}{{ message['content'] + '\n\n' }}{% endif %}{% endfor %}"
                   + GENERATE + "{{ 'Assistant:' }}{% endif %}",
    "deepseek-v3": R1.replace("%s{%% endif %%}", "{{'<｜Assistant｜>'}}{% endif %}"),
    "deepseek-r1": None,
    "chatglm3": "{% for message in messages %}{% if loop.first %}[gMASK]sop<|{{ message['role'] }}|>\n "
                "{{ message['content'] }}{% else %}<|{{ message['role'] }}|>\n {{ message['content'] }}{% endif %}"
                "{% endfor %}" + GENERATE + "<|assistant|>{% endif %}",
    "glm-4": "[gMASK]<sop>{% for item in messages %}{% if item['content'] %}<|{{ item['role'] }}|>{{ item['metadata'] }}\n"
             "{{ item['content'] }}{% endif %}{% endfor %}" + GENERATE + "<|assistant|>\n{% endif %}",
    "glm-edge": "{% for item in messages %}{% if item['role'] == 'system' %}<|system|>\n{{ item['content'] }}"
                "{% elif item['role'] == 'user' %}<|user|>\n{{ item['content'] }}{% elif item['role'] == 'assistant' %}"
                "<|assistant|>\n{{ item['content'] }}{% endif %}{% endfor %}" + GENERATE + "<|assistant|>{% endif %}",
}

IM = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
L3 = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
INST = ["<s>", "</s>", "[INST]", "[/INST]"]
V7 = INST + ["[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"]
GEMMA = ["<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"]
PHI = ["<s>", "<|endoftext|>", "<|assistant|>r", "<|system|>r", "<|end|>r", "<|user|>r"]
DS = ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"]
DS3 = DS + ["<｜User｜>-", "<｜Assistant｜>-"]
GLM = ["<|endoftext|>", "[MASK]", "[gMASK]", "<sop>", "sop", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"]

# name: form, tokenizer, its further tokens, bos, eos, which of its texts are never in a message's tokens.  A "-"
# behind a token: not special; an "r": white space behind it goes.
MODELS = {
    "openhermes": ("chatml", "mistral", ["<|im_end|>", "<|im_start|>-"], "<s>", "<|im_end|>"),
    "internlm2": ("chatml", "llama2", ["<|im_end|>", "<|im_start|>"], "<s>", "</s>"),
    "qwen2": ("chatml", "qwen2", ["<|endoftext|>"], None, "<|im_end|>"),
    "qwen2.5": ("chatml", "qwen2", ["<|endoftext|>"], None, "<|im_end|>"),
    "qwen3": ("chatml", "qwen3", ["<|endoftext|>", "<think>-", "</think>-"], None, "<|im_end|>"),
    "qwq": ("chatml", "qwen2", ["<|endoftext|>", "<think>-", "</think>-"], None, "<|im_end|>"),
    "trimmed": ("chatml", "qwen2", [], None, "<|im_end|>"),
    "own-system": ("chatml", "o200k", [], None, "<|im_end|>"),
    "phi-4": ("phi-4", "o200k", ["<|endoftext|>", "<|im_sep|>"], "<|endoftext|>", "<|im_end|>"),
    "llama-3": ("llama-3", "llama3", L3, "<|begin_of_text|>", "<|eot_id|>"),
    "llama-3.1": ("llama-3.1", "llama3", L3, "<|begin_of_text|>", "<|eot_id|>"),
    "llama-2": ("llama-2", "llama2", [], "<s>", "</s>"),
    "mistral-v0.1": ("mistral-v0.1", "llama2", [], "<s>", "</s>"),
    "mistral-v0.2": ("mistral-v0.2", "llama2", [], "<s>", "</s>"),
    "mixtral-8x22b": ("mixtral-8x22b", "mistral", ["</s>"], "<s>", "</s>"),
    "mistral-v1": ("mistral-v1", "llama2", [], "<s>", "</s>"),
    "mistral-v3": ("mistral-v3", "mistral", ["</s>"], "<s>", "</s>"),
    "mistral-tekken": ("mistral-tekken", "tekken", INST, "<s>", "</s>"),
    "mistral-v7": ("mistral-v7", "mistral", ["</s>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"], "<s>", "</s>"),
    "mistral-small": ("mistral-v7-tekken", "tekken", V7, "<s>", "</s>"),
    "gemma-2": ("gemma", "gemma", ["<eos>", "<bos>", "<end_of_turn>"], "<bos>", "<eos>"),
    "gemma-3": ("gemma-3", "gemma", ["<eos>", "<bos>", "<end_of_turn>"], "<bos>", "<eos>"),
    "phi-3-mini": ("phi-3", "llama2", PHI[1:], "<s>", "<|endoftext|>"),
    "phi-3-small": ("phi-3", "o200k", ["<|endoftext|>", "<|assistant|>", "<|system|>", "<|user|>"],
                    "<|endoftext|>", "<|endoftext|>"),
    "phi-3.5": ("phi-3", "llama2", PHI[1:], "<s>", "<|endoftext|>"),
    "zephyr": ("zephyr", "llama2", [], "<s>", "</s>"),
    "deepseek-v2": ("deepseek-v2", "deepseek", DS, DS[0], DS[1]),
    "deepseek-v3": ("deepseek-v3", "deepseek", DS3, DS[0], DS[1]),
    "deepseek-r1": ("deepseek-r1", "deepseek", DS3 + ["</think>-"], DS[0], DS[1]),
    "chatglm3": ("chatglm3", "starcoder", GLM, None, "<|endoftext|>"),
    "glm-4": ("glm-4", "starcoder", GLM, None, "<|endoftext|>"),
    "glm-edge": ("glm-edge", "starcoder", GLM, None, "<|endoftext|>"),
}


# Forms in which a system's message may come later.
LATE = ("chatml", "llama-3", "phi-3", "zephyr", "deepseek-v2", "chatglm3", "glm-4", "glm-edge", "mistral-v7")


def say(*texts):
    """user, assistant, user ...; a text in a list is the system's."""
    out, turn = [], 0
    for t in texts:
        if isinstance(t, list):
            out.append({"role": "system", "content": t[0]})
        else:
            out.append({"role": ("user", "assistant")[turn % 2], "content": t})
            turn += 1
    return out


CHATS = [
    say("Hello, who are you?"),
    say(["Be brief."], "Hello"),
    say("One", "Two", "Three"),
    say(["You are a poet.\nRhyme."], "A", "B b.", "C\nc", "D", "E"),
    say(["  spaced system \n"], "  spaced \t question\n\n", " \n spaced answer  ", "\u3000wide\u00a0 \u2003"),
    say([""], "empty system"),
    say(""),
    say(["S"], ""),
    say(" \n "),
    say(["S"], "  \n\t "),
    say("q", "", "q2"),
    say("Quotes 'x' \"y\" {{ z }} {% if %} \\n", "ok", "日本語 \U0001f44d é e\u0301"),
    say("\x1c\x1d odd \x1f", "\x85a\x85", "b"),
    say("Why?", "<think>\nbecause\n</think>\n\nSo.", "And?", "no end </think></think>\n\n\n x", "then?"),
    say("x", "\n\n newlines first", "y"),
    say("tail spaces   ", "1.  ", "2 "),
    [{"role": "user", "content": "a"}, {"role": "system", "content": "late"}, {"role": "user", "content": "b"}],
]


def control(tokens, own):
    return [t.rstrip("-") if t.endswith("-") else t[:-1] if t.endswith("|>r") else t for t in tokens] + own


def special_chats(texts):
    all_of = " ".join(texts)
    return [say([texts[0] + "system"], texts[-1] + " question " + all_of, "an" + all_of + "swer", texts[-1]),
            say(all_of + "\n")]


def added(tokens, vocab, first):
    """What the vocabulary has already keeps its id."""
    out = []
    for t in tokens:
        flags = {"lstrip": False, "rstrip": t.endswith("|>r"), "special": not t.endswith("-")}
        text = t[:-1] if t.endswith(("-", "|>r")) else t
        known = text in vocab
        out.append({"id": vocab[text] if known else first, "content": text, "single_word": False, "normalized": False, **flags})
        first += not known
    return out


class Model:
    def __init__(self, name, real):
        self.name = name
        self.form, self.tokenizer, tokens, self.bos, self.eos = MODELS[name]
        path = os.path.join(real, name + ".jinja")
        self.other = open(path, encoding="utf-8").read() if os.path.exists(path) else None
        self.template = TEMPLATES[name] or self.other
        if not self.template:
            sys.exit(f"{path} is missing")
        with open(os.path.join(HERE, "..", "tokenizers", self.tokenizer + ".json"), encoding="utf-8") as f:
            j = json.load(f)
        if j.get("post_processor"):
            j["post_processor"] = None
        first = 1 + max(list(j["model"]["vocab"].values()) + [a["id"] for a in j["added_tokens"]])
        have = {a["content"] for a in j["added_tokens"]}
        self.more = added(tokens, j["model"]["vocab"], first)
        assert not have & {a["content"] for a in self.more}
        j["added_tokens"] += self.more
        for a in j["added_tokens"]:
            a["normalized"] = a["normalized"] and not a["special"]
        self.control = [a["content"] for a in j["added_tokens"] if a["special"] or a in self.more]
        self.control = [t for t in self.control if t not in ("<think>", "</think>", "<unk>")]
        self.json = j
        self.full = Tokenizer.from_str(json.dumps(j))
        bare = copy.deepcopy(j)
        bare["added_tokens"] = [a for a in bare["added_tokens"] if a["content"] not in self.control]
        self.bare = Tokenizer.from_str(json.dumps(bare))
        self.runs_alone = self.tokenizer not in ("llama2", "mistral") and not any(a["rstrip"] for a in self.more)

    def render(self, template, messages):
        variables = {"messages": messages, "add_generation_prompt": True}
        if self.bos:
            variables["bos_token"] = self.bos
        if self.eos:
            variables["eos_token"] = self.eos
        if self.name == "mistral-small":
            variables["strftime_now"] = lambda f: "TODAY"
        return ENV.from_string(template).render(**variables)

    def chat(self, messages):
        try:
            text = self.render(self.template, messages)
        except (Refused, TemplateError) as e:
            return {"messages": messages, "refused": str(e)}
        if self.other and self.template != self.other:
            other = self.render(self.other, messages)
            assert other == text, (self.name, messages, text, other)
        return {"messages": messages, "text": text, "ids": self.ids(text)}

    def ids(self, text):
        return self.full.encode(text, add_special_tokens=False).ids

    def special_chat(self, messages):
        """The control tokens of the form are those that are there without the messages' texts, too:
        stand-ins, which no token spells, show where they are."""
        stand_in = [{**m, "content": chr(0xe000 + i)} for i, m in enumerate(messages)]
        try:
            skeleton = self.render(self.template, stand_in)
            text = self.render(self.template, messages)
        except Refused:
            return None
        trimmed = [m["content"] if m["content"] in text and "trim" not in self.template and
                   "strip()" not in self.template else m["content"].strip() for m in messages]
        ids, run, at = [], "", 0
        while at < len(skeleton):
            c = skeleton[at]
            if 0xe000 <= ord(c) < 0xe000 + len(messages):
                run += trimmed[ord(c) - 0xe000]
                at += 1
                continue
            token = max((t for t in self.control if skeleton.startswith(t, at)), key=len, default=None)
            if token is None:
                run += c
                at += 1
                continue
            ids += self.run(run) + [self.full.token_to_id(token)]
            run, at = "", at + len(token)
        ids += self.run(run)
        whole = "".join(trimmed[ord(c) - 0xe000] if 0xe000 <= ord(c) < 0xe000 + len(messages) else c for c in skeleton)
        assert whole == text, (self.name, whole, text)
        return {"messages": messages, "text": text, "ids": ids, "spelled": True}

    def run(self, text):
        tokens = self.bare.encode(text, add_special_tokens=False).tokens if text else []
        return [self.full.token_to_id(t) for t in tokens]

    def row(self):
        chats = [self.chat(m) for m in CHATS if self.usable(m)]
        if self.runs_alone:
            chats += [c for c in (self.special_chat(m) for m in special_chats(self.control) if self.usable(m)) if c]
        return {"name": self.name, "form": self.form, "tokenizer": self.tokenizer, "added": self.more,
                "bos": self.bos, "eos": self.eos, "template": self.template, "chats": chats}

    def usable(self, messages):
        """Not done here: a system text of the day, and what a template itself would lose."""
        has_system = any(m["role"] == "system" for m in messages)
        late = any(m["role"] == "system" for m in messages[1:])
        if self.name == "mistral-small" and not has_system:
            return False
        if late and self.form not in LATE:
            return False
        return not (has_system and self.name == "phi-3-mini")


def main():
    with open(os.path.join(HERE, "golden.jsonl"), "w", encoding="utf-8") as f:
        for name in MODELS:
            row = Model(name, sys.argv[1]).row()
            f.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n")
            print(name, len(row["chats"]), sum("refused" in c for c in row["chats"]))


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the small tokenizers of this folder and their goldens with Hugging Face tokenizers.

    pip install tokenizers==0.23.3
    make.py DATA [FAMILY...]        DATA: alpaca_en_demo.json, alpaca_zh_demo.json, gsm_8k_train.json
    make.py --goldens               the goldens alone, of the tokenizers as they are

Each FAMILY.json is a tokenizer.json in the manner of a well-known model, trained on those texts;
FAMILY.jsonl holds strings that are easy to get wrong: their ids with special tokens as text ("ids")
and as control tokens ("special", where that differs), and the decoded text where it is not the
string ("decoded", of "ids").  words.jsonl holds how very long words are cut: see word_row.
"""
import json
import os
import sys

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

HERE = os.path.dirname(os.path.abspath(__file__))
CASE = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
ENDS = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CASE + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + ENDS
QWEN2 = CASE + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + ENDS
QWEN3 = CASE + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + ENDS
UP, LOW = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CASED = (r"[^\r\n\p{L}\p{N}]?" + UP + "*" + LOW + "+%s|" + r"[^\r\n\p{L}\p{N}]?" + UP + "+" + LOW
         + r"*%s|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n/]*" + ENDS)
O200K = CASED % (CASE + "?", CASE + "?", "{1,3}")
TEKKEN = CASED % ("", "", "")
DEEPSEEK = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
            r"| ?[\p{P}\p{S}]+[\r\n]*" + ENDS)


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def bytes_only(prefix=False, regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)


def strings(x):
    if isinstance(x, str):
        yield x
    elif isinstance(x, (list, dict)):
        for y in x.values() if isinstance(x, dict) else x:
            yield from strings(y)


def corpus(data):
    texts = []
    for name, most in ("alpaca_en_demo.json", 500), ("alpaca_zh_demo.json", 250), ("gsm_8k_train.json", 500):
        with open(os.path.join(data, name), encoding="utf-8") as f:
            texts += list(strings(json.load(f)[:most]))
    return texts


def added(content, special=True, **more):
    t = {"content": content, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": special}
    return {**t, **more}


def byte_level(texts, pre, norm, size, tokens, **model):
    t = Tokenizer(BPE())
    t.pre_tokenizer = pre
    if norm:
        t.normalizer = norm
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(texts, BpeTrainer(vocab_size=size, show_progress=False,
                                            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return finish(t, tokens, **model)


def sp(texts, size, tokens, pre_train, norm=None, pre=None, dec=None, all_merges=False, **model):
    """Characters with bytes for the rest.  all_merges: every way to split an entry, by its id, as
    the conversion from SentencePiece gives them."""
    t = Tokenizer(BPE(unk_token="<unk>"))
    t.normalizer = normalizers.Replace(" ", "▁")
    if pre_train:
        t.pre_tokenizer = pre_train
    first = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)]
    t.train_from_iterator(texts, BpeTrainer(vocab_size=size, show_progress=False,
                                            special_tokens=first, limit_alphabet=400))
    j = json.loads(t.to_str())
    vocab = j["model"]["vocab"]
    if all_merges:
        j["model"]["merges"] = [
            [w[:i], w[i:]] for w, _ in sorted(vocab.items(), key=lambda x: x[1])
            for i in range(1, len(w)) if w not in first and w[:i] in vocab and w[i:] in vocab]
    j["added_tokens"] = []
    t = Tokenizer.from_str(json.dumps(j))
    t.normalizer = norm
    t.pre_tokenizer = pre
    t.decoder = dec
    return finish(t, tokens, **{"byte_fallback": True, "fuse_unk": True, **model})


def finish(t, tokens, post=None, **model):
    j = json.loads(t.to_str())
    if j["pre_tokenizer"] and j["pre_tokenizer"]["type"] == "None":
        j["pre_tokenizer"] = None
    vocab = j["model"]["vocab"]
    n = len(vocab)
    for a in tokens:
        i = vocab.get(a["content"])
        if i is None:
            i, n = n, n + 1
        j["added_tokens"].append({"id": i, **a})
    j["model"].update(model)
    if post:
        bos = next(a for a in j["added_tokens"] if a["content"] == post)
        j["post_processor"] = {"type": "Sequence", "processors": [
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
            {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": post, "type_id": 0}},
                        {"Sequence": {"id": "A", "type_id": 0}}],
             "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
             "special_tokens": {post: {"id": post, "ids": [bos["id"]], "tokens": [post]}}}]}
    return j


CHAT = [added("<|begin|>"), added("<|end|>"), added("<|im_start|>"), added("<|im_end|>")]
LLAMA2_DEC = {"type": "Sequence", "decoders": [
    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
    {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}


def llama2(texts):
    j = sp(texts, 1300, [added("<unk>"), added("<s>"), added("</s>", normalized=True)],
           pre_tokenizers.Metaspace(), all_merges=True,
           norm=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]))
    return {**j, "decoder": LLAMA2_DEC}


def mistral(texts):
    """Trained without a pre-tokenizer, so that merges go over spaces."""
    short = [s[i:i + 60] for s in texts for i in range(0, min(len(s), 300), 60)]
    j = sp(short, 1300, [added("<unk>"), added("<s>"), added("[INST]"), added("[/INST]")], None,
           pre=pre_tokenizers.Metaspace(prepend_scheme="first", split=False))
    return {**j, "decoder": LLAMA2_DEC}


def gemma(texts):
    j = sp(texts, 1300, [added("<unk>"), added("<start_of_turn>"), added("\n\n", False),
                         added("▁▁▁", False), added("<table>", False)],
           pre_tokenizers.Metaspace(prepend_scheme="never"),
           norm=normalizers.Replace(" ", "▁"),
           pre=pre_tokenizers.Split(" ", "merged_with_previous"))
    return {**j, "decoder": {"type": "Sequence", "decoders": LLAMA2_DEC["decoders"][:3]}}


def misc(texts):
    """No bytes but unknown tokens, and the rarer steps."""
    return sp([s.lower() for s in texts], 1000,
              [added("<unk>"), added("Word", False, single_word=True, normalized=True),
               added("<mask>", lstrip=True), added("<right>", rstrip=True)],
              pre_tokenizers.Metaspace(),
              norm=normalizers.Sequence([normalizers.NFKC(), normalizers.Strip(), normalizers.Lowercase(),
                                         normalizers.Replace(Regex(r"\p{Pd}+"), "-")]),
              pre=pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), pre_tokenizers.Digits(True),
                                           pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
              dec=decoders.Metaspace(), byte_fallback=False)


def seq(*steps):
    return pre_tokenizers.Sequence(list(steps))


FAMILIES = {
    "llama3": lambda x: byte_level(x, seq(split(LLAMA3), bytes_only()), None, 1100, CHAT,
                                   ignore_merges=True, post="<|begin|>"),
    "qwen2": lambda x: byte_level(x, seq(split(QWEN2), bytes_only()), normalizers.NFC(), 900, CHAT),
    "qwen3": lambda x: byte_level(x, seq(split(QWEN3), bytes_only()), normalizers.NFC(), 600, CHAT),
    "o200k": lambda x: byte_level(x, seq(split(O200K, "removed", True), bytes_only()), None, 900,
                                  CHAT),
    "tekken": lambda x: byte_level(x, seq(split(TEKKEN), bytes_only()), None, 600, CHAT),
    "deepseek": lambda x: byte_level(x, seq(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK),
                                            bytes_only()), None, 900,
                                     CHAT + [added("<think>", False)]),
    "roberta": lambda x: byte_level(x, bytes_only(True, True), None, 600,
                                    [added("<s>"), added("<mask>", lstrip=True),
                                     added("TOKEN", False, single_word=True, normalized=True),
                                     added("<r>", False, rstrip=True)]),
    "starcoder": lambda x: byte_level(x, seq(pre_tokenizers.Digits(individual_digits=True),
                                             bytes_only(False, True)), None, 600, CHAT),
    "llama2": llama2,
    "mistral": mistral,
    "gemma": gemma,
    "misc": misc,
}

STRINGS = [
    "", " ", "  ", "\n", "a", "Hello, world!", " leading", "trailing ", "trailing  ", "  two  spaces  ",
    "I'm you're he's we'll I'd they've don't", "I'M YOU'RE HE'S WE'LL I'D THEY'VE DON'T", "'s 'S ''s 'ſ o'clock",
    "x'lls 'Ll 'rE", "0 1 12 123 1234 12345 3.14159 1,000,000", "a1b22c333", "½ ² Ⅷ ٣٤٥ 一二三 ①②",
    "camelCaseWord HTTPServer ÀÉÎ ßstraße ǅungla", "ABC中DEF abc中def 中ABC", "snake_case __init__ a/b//c\n/d",
    "if (x == 1) {\n\treturn y;\n}\n", "a\r\nb\r\n\r\nc", "\r\r\n\n \n  \n", "a \n b\t\n\tc", "line\n\n\n", "   \n   x",
    "tab\ttab\t\ttab", "nbsp\u00a0x \u2003em\u3000wide \u2028sep", "\u180e mongolian \u200b zero \ufeffbom",
    "日本語のテキスト、です。", "中文文本，带标点。123年", "한국어 텍스트", "Привет мир", "שלום עולם", "नमस्ते दुनिया", "ไทย ภาษา",
    "café cafe\u0301", "\u0301start \u0301", "A\u030a \u00c5 \u212b ﬁ ﬀ Ⅳ ｗｉｄｅ", "a\u0323\u0307 a\u0307\u0323 \u1e0b\u0323",
    "각 \u1100\u1161\u11a8 \u1100\u1161", "e\u0301\u0301\u0323\u0301", "👍 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷", "𝒜𝓃 𐍈 𓀀 🜁",
    "\u0000\u0001\u0007\u001f\u007f\u0085", "\u001c\u001d x", "…—–‐ “quotes” «g» ¡¿", "!!! ??? ... --- ===", "$1.00 €2 ₿3",
    "<|begin|>x<|end|>", "<|im_start|>user\nhi<|im_end|>\n", "<s>a</s>", "a <s> b </s> c", "<s", "<unk> <0x41> <0x0A>",
    "[INST] hi [/INST]", "<start_of_turn>user", "a\n\nb", "a\n\n\nb", "x   y    z     w", "▁ ▁▁ ▁▁▁ a▁b ▁a",
    "<think>x</think>", "<table><tr>", "TOKEN TOKENS xTOKEN TOKEN.", "word Word words aWord", "a  <mask>  b", "a <r>  b <right>  c",
    "a" * 70, "ab" * 40, " " * 70, "x" + " " * 100 + "y", "the" * 30, "哈" * 40, "=" * 90, "http://example.com/a?b=c&d=%20",
    "Ω≈ç√∫˜µ", "🏽" * 5, "e" + "\u0301" * 40, "\ud7ff\ue000\ufffd\U0010ffff", "ẞ İstanbul ıI ΣΑΣ",
    "the quick brown fox jumps over the lazy dog. " * 3,
    "葛\U000e0100's x\U000e01efy'LL \U000e0101 1\U000e0100", "Word first", "\u2028Word\t.", "<mask>", " <mask> x",
    "中文 mixed with 中文and数字123和符号#!%s" % ("你好世界" * 12), "\U000e0001\U000e0041 \ufffe\uffff",
]

# One word of a million letters or bytes: letters by x = x * A + C, so that a test can make the same.
A, C = 6364136223846793005, 1442695040888963407


def long_word(kind):
    if kind in "a ":
        return kind * 1000000
    if kind == "mark":
        return "e" + "\u0301" * 333333
    x, out = 1, []
    for _ in range(1000000 if kind == "letters" else 333333):
        x = (x * A + C) & (1 << 64) - 1
        out.append(chr((x >> 33) % 26 + 97 if kind == "letters" else (x >> 33) % 5000 + 0x4E00))
    return "".join(out)


def word_row(name, t, kind):
    """Number of tokens, and FNV-1a of their ids, each as four bytes."""
    h, ids = 0xCBF29CE484222325, t.encode(long_word(kind), add_special_tokens=False).ids
    for b in b"".join(i.to_bytes(4, "little") for i in ids):
        h = (h ^ b) * 0x100000001B3 & (1 << 64) - 1
    return json.dumps({"family": name, "kind": kind, "n": len(ids), "fnv": "%016x" % h}) + "\n"


def row(t, text):
    t.encode_special_tokens = True
    ids = t.encode(text, add_special_tokens=False).ids
    t.encode_special_tokens = False
    special = t.encode(text, add_special_tokens=False).ids
    r = {"text": text, "ids": ids}
    if special != ids:
        r["special"] = special
    decoded = t.decode(ids, skip_special_tokens=False)
    if decoded != text:
        r["decoded"] = decoded
    return json.dumps(r, ensure_ascii=True, separators=(",", ":"))


def goldens(name):
    t = Tokenizer.from_file(os.path.join(HERE, name + ".json"))
    with open(os.path.join(HERE, name + ".jsonl"), "w", encoding="utf-8") as f:
        f.writelines(row(t, s) + "\n" for s in STRINGS)
    t.encode_special_tokens = True
    return [word_row(name, t, kind) for kind in ("a", " ", "letters", "han", "mark")]


def train(name, texts):
    j = FAMILIES[name](texts)
    with open(os.path.join(HERE, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(j, f, ensure_ascii=False, separators=(",", ":"))
    print(name, len(j["model"]["vocab"]), len(j["model"]["merges"]))


def main():
    if sys.argv[1] != "--goldens":
        texts = corpus(sys.argv[1])
        for name in sys.argv[2:] or FAMILIES:
            train(name, texts)
    rows = [r for name in FAMILIES for r in goldens(name)]
    with open(os.path.join(HERE, "words.jsonl"), "w", encoding="utf-8") as f:
        f.writelines(rows)


main()

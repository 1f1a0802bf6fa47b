#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains a tiny tokenizer for each published pre-tokenizer and writes it with vectors by Hugging Face
tokenizers (pip install tokenizers): ./make_vectors.py"""
import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers as pre, trainers

HERE = pathlib.Path(__file__).parent
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
DEEPSEEK3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
             r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def split(pattern, behavior="isolated", invert=False):
    return pre.Split(Regex(pattern), behavior=behavior, invert=invert)


def level(prefix=False, regex=False):
    return pre.ByteLevel(add_prefix_space=prefix, use_regex=regex)


KINDS = {
    "deepseek-v3": (None, [split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK3), level()]),
    "qwen2": (normalizers.NFC(), [split(QWEN2), level()]),
    "llama3": (None, [split(LLAMA3), level()]),
    "gpt2": (None, [level(True, True)]),
    "behaviours": (None, [pre.Digits(individual_digits=False), split("x", "removed"),
                          pre.Split(",", behavior="merged_with_previous"), split("[.;]", "merged_with_next"),
                          split("[aeiou]", "contiguous"), split("[a-zA-Z ]+", "isolated", True), level()]),
}
TEXTS = ["", " ", "Hello world, it's 12345 o'clock!", "WE'LL see, I'D say he'S", "a  b   c\n\n\n d\t\te \r\n f",
         "中文字符和かなカナ混じり", "e\u0301a\u030a\u1100\u1161\u11a8 \u212b \u0958 q\u0307\u0323", "🙂👩‍👩‍👧 x,y;z.w",
         "<tool>x</tool> <tool> <word> a<word>b", "  \u3000\u180e\u00a0x\u2028y", "x,,x;;.aeiou 12 3", "\u0000\u0001 a"]


def random_text(rng):
    ranges = [(32, 126), (32, 126), (9, 13), (0xA0, 0x24F), (0x300, 0x36F), (0x400, 0x4FF), (0x900, 0x97F),
              (0x1100, 0x11FF), (0x2000, 0x206F), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
              (0x1F300, 0x1F6FF)]
    return "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(rng.randint(1, 40)))


def main():
    rng = random.Random(7)
    texts = TEXTS + [random_text(rng) for _ in range(40)]
    for name, (normalizer, steps) in KINDS.items():
        tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
        if normalizer:
            tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = pre.Sequence(steps) if len(steps) > 1 else steps[0]
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre.ByteLevel.alphabet(),
                                      show_progress=False)
        tokenizer.train_from_iterator([__doc__, "the cat and the hat, 123 456; 中文 中文 it's he's"] * 5, trainer)
        tokenizer.add_special_tokens([AddedToken("<|eot_id|>", special=True)])
        tokenizer.add_tokens([AddedToken("<tool>", lstrip=True, rstrip=True), AddedToken("<tool>x"),
                              AddedToken("<word>", single_word=True), AddedToken("é!", normalized=True)])
        tokenizer.save(str(HERE / (name + ".json")), pretty=False)
        vectors = [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in texts]
        (HERE / (name + "-vectors.json")).write_text(json.dumps(vectors, ensure_ascii=False, indent=0) + "\n")


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random blocks of GGUF's packed types and what the gguf package dequantises them to (pip install gguf
safetensors): ./make_blocks.py"""
import pathlib

import gguf
import numpy as np
from safetensors.numpy import save_file

ROWS, COLUMNS = 5, 512
# Where the half-precision scales of a block lie; every other byte may be anything.
HALVES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "IQ4_NL": [0], "Q2_K": [80, 82],
          "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_XS": [0]}


def main():
    random = np.random.default_rng(7)
    tensors = {}
    for name, halves in HALVES.items():
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = random.integers(0, 256, (ROWS * COLUMNS // elements, size), dtype=np.uint8)
        for at in halves:
            scales = random.normal(0, 0.02, len(blocks)).astype(np.float16)
            scales[0] = 6e-8  # a subnormal number
            blocks[:, at:at + 2] = scales.view(np.uint8).reshape(-1, 2)
        stored = blocks.reshape(ROWS, -1)
        tensors[name + ".bytes"] = stored
        tensors[name + ".values"] = gguf.quants.dequantize(stored, kind).astype(np.float32).reshape(ROWS, COLUMNS)
    save_file(tensors, pathlib.Path(__file__).parent / "blocks.safetensors")


main()

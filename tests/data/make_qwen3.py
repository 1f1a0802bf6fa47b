#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes qwen3-tiny and qwen3-moe-tiny: random weights in the hub's layout, and what Hugging Face transformers
computes from them in float32 (pip install torch transformers): ./make_qwen3.py"""
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
COMMON = {"vocab_size": 512, "hidden_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2,
          "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "max_position_embeddings": 4096,
          "attention_bias": False, "bos_token_id": 0, "eos_token_id": 1, "use_sliding_window": False,
          "sliding_window": None, "torch_dtype": "bfloat16"}
CONFIGS = {
    # As Qwen3-0.6B: heads wider than hidden_size / heads, tied embeddings, yarn as the model card advises.
    "qwen3-tiny": {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "head_dim": 48,
                   "intermediate_size": 256, "num_hidden_layers": 2, "tie_word_embeddings": True,
                   "max_position_embeddings": 128,
                   "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}},
    # As Qwen3-30B-A3B, with one dense layer among the mixtures.
    "qwen3-moe-tiny": {"model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "head_dim": 32,
                       "intermediate_size": 128, "moe_intermediate_size": 48, "num_hidden_layers": 3,
                       "num_experts": 8, "num_experts_per_tok": 3, "norm_topk_prob": True,
                       "decoder_sparse_step": 1, "mlp_only_layers": [1], "tie_word_embeddings": False},
}


def matrix(rows, columns, gain=1.0):
    return torch.randn(rows, columns) * gain / columns**0.5


def norm(size):
    return 1 + 0.2 * torch.randn(size)


def feed_forward(tensors, prefix, hidden, intermediate):
    tensors[prefix + "gate_proj.weight"] = matrix(intermediate, hidden)
    tensors[prefix + "up_proj.weight"] = matrix(intermediate, hidden)
    tensors[prefix + "down_proj.weight"] = matrix(hidden, intermediate)


def weights(c):
    hidden, dim = c["hidden_size"], c["head_dim"]
    queries, keys = c["num_attention_heads"] * dim, c["num_key_value_heads"] * dim
    t = {"model.embed_tokens.weight": torch.randn(c["vocab_size"], hidden) * 0.5, "model.norm.weight": norm(hidden)}
    if not c["tie_word_embeddings"]:
        t["lm_head.weight"] = matrix(c["vocab_size"], hidden, 3)
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        t[p + "input_layernorm.weight"] = norm(hidden)
        t[p + "post_attention_layernorm.weight"] = norm(hidden)
        for name, rows, columns in (("q", queries, hidden), ("k", keys, hidden), ("v", keys, hidden),
                                    ("o", hidden, queries)):
            t[f"{p}self_attn.{name}_proj.weight"] = matrix(rows, columns)
        t[p + "self_attn.q_norm.weight"] = norm(dim) * 1.5
        t[p + "self_attn.k_norm.weight"] = norm(dim) * 1.5
        if "num_experts" in c and i not in c["mlp_only_layers"]:
            t[p + "mlp.gate.weight"] = matrix(c["num_experts"], hidden, 2)
            for e in range(c["num_experts"]):
                feed_forward(t, f"{p}mlp.experts.{e}.", hidden, c["moe_intermediate_size"])
        else:
            feed_forward(t, p + "mlp.", hidden, c["intermediate_size"])
    return {name: tensor.to(torch.bfloat16) for name, tensor in t.items()}


def router_hook(out, layer):
    def hook(_module, _inputs, result):
        _, scores, experts = result
        experts, order = experts.sort(dim=-1)
        out[f"router.{layer}.ids"] = experts.to(torch.int32)
        out[f"router.{layer}.weights"] = scores.gather(-1, order).float()
    return hook


def reference(directory, config):
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
    out = {}
    layers = model.model.layers
    # hidden_states of the last layer come after the final norm, so the layers are asked themselves.
    hooks = [layer.register_forward_hook(
        lambda _m, _i, result, i=i: out.__setitem__(f"hidden.{i}", (result if torch.is_tensor(result) else result[0])[0]))
        for i, layer in enumerate(layers)]
    hooks += [layer.mlp.gate.register_forward_hook(router_hook(out, i))
              for i, layer in enumerate(layers) if hasattr(layer.mlp, "gate")]
    ids = torch.randint(6, config["vocab_size"], (64,))
    with torch.no_grad():
        out["logits"] = model(ids[None], use_cache=False).logits[0]
        for hook in hooks:
            hook.remove()
        greedy = ids[:24]
        for _ in range(24):
            greedy = torch.cat([greedy, model(greedy[None], use_cache=False).logits[0, -1].argmax()[None]])
    out["input_ids"] = ids.to(torch.int32)
    out["greedy_ids"] = greedy.to(torch.int32)
    return {name: tensor.contiguous() for name, tensor in out.items()}


def main():
    for name, special in CONFIGS.items():
        torch.manual_seed(7)
        config = COMMON | special
        directory = HERE / name
        directory.mkdir(exist_ok=True)
        (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(HERE / "qwen2-tiny" / file, directory)
        save_file(weights(config), directory / "model.safetensors", metadata={"format": "pt"})
        save_file(reference(directory, config), directory / "reference.safetensors")


main()

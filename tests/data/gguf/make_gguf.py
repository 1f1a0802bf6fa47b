#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes tiny checkpoints of the hub's layout as GGUF files with the gguf package (pip install gguf torch
safetensors), named and arranged as llama.cpp's converter does: ./make_gguf.py"""
import json
import pathlib

import gguf
import numpy as np
import torch
from safetensors.torch import load_file

HERE = pathlib.Path(__file__).parent
Q8_0, BF16, F32 = (gguf.GGMLQuantizationType[name] for name in ("Q8_0", "BF16", "F32"))
# name: architecture, type of the matrices, parts
MODELS = {"qwen2-tiny": ("qwen2", Q8_0, 2), "llama-tiny": ("llama", BF16, 1), "qwen3-tiny": ("qwen3", BF16, 1),
          "qwen3-moe-tiny": ("qwen3moe", BF16, 1), "deepseek-v2-tiny": ("deepseek2", BF16, 1),
          "deepseek-v3-tiny": ("deepseek2", BF16, 1)}
NAMES = [("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"), ("lm_head", "output"),
         ("model.layers.", "blk."), ("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"),
         ("self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa"), ("self_attn.kv_a_layernorm", "attn_kv_a_norm"),
         ("self_attn.q_a_layernorm", "attn_q_a_norm"), ("self_attn.q_a_proj", "attn_q_a"),
         ("self_attn.q_b_proj", "attn_q_b"), ("self_attn.kv_b_proj", "attn_kv_b"), ("self_attn.q_norm", "attn_q_norm"),
         ("self_attn.k_norm", "attn_k_norm"), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"),
         ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"),
         ("mlp.gate.e_score_correction_bias", "exp_probs_b.bias"), ("mlp.gate.", "ffn_gate_inp."),
         ("mlp.shared_experts.gate_proj", "ffn_gate_shexp"), ("mlp.shared_experts.up_proj", "ffn_up_shexp"),
         ("mlp.shared_experts.down_proj", "ffn_down_shexp"), ("mlp.experts.gate_proj", "ffn_gate_exps"),
         ("mlp.experts.up_proj", "ffn_up_exps"), ("mlp.experts.down_proj", "ffn_down_exps"),
         ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down")]


def gguf_name(name):
    for hub, other in NAMES:
        name = name.replace(hub, other)
    return name


def adjacent_pairs(weights, heads):
    """Rows of q_proj or k_proj in the order in which rotated pairs lie side by side."""
    rows = weights.shape[0]
    return weights.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(weights.shape)


def tensors_of(directory, arch, c):
    """Names in the file, and values in float32."""
    hub = {n: t.float().numpy() for n, t in load_file(directory / "model.safetensors").items()
           if not n.startswith(f"model.layers.{c['num_hidden_layers']}.")}
    out, experts = {}, {}
    for name, values in hub.items():
        if ".mlp.experts." in name:
            before, after = name.split(".mlp.experts.")
            number, projection = after.split(".", 1)
            experts.setdefault(f"{before}.mlp.experts.{projection}", {})[int(number)] = values
        elif arch == "llama" and (".q_proj." in name or ".k_proj." in name):
            out[name] = adjacent_pairs(values, c["num_attention_heads" if ".q_" in name else "num_key_value_heads"])
        elif name.endswith("kv_b_proj.weight") and c["model_type"] == "deepseek_v3":
            split = values.reshape(c["num_attention_heads"], -1, c["kv_lora_rank"])
            keys, values = np.split(split, [c["qk_nope_head_dim"]], axis=1)
            prefix = gguf_name(name.replace("self_attn.kv_b_proj.weight", ""))
            out[prefix + "attn_k_b.weight"] = np.ascontiguousarray(keys.swapaxes(1, 2))
            out[prefix + "attn_v_b.weight"] = np.ascontiguousarray(values)
        else:
            out[name] = values
    for name, parts in experts.items():
        out[name] = np.stack([parts[i] for i in range(len(parts))])
    if arch == "llama":
        out["rope_freqs.weight"] = llama3_factors(c)
    return {gguf_name(name): values for name, values in out.items()}


def llama3_factors(c):
    """What the frequencies are divided by (arXiv 2407.21783, as in the converter)."""
    s = c["rope_scaling"]
    wavelengths = 2 * np.pi * c["rope_theta"] ** (np.arange(0, c["head_dim"], 2) / c["head_dim"])
    turns = s["original_max_position_embeddings"] / wavelengths
    kept = np.clip((turns - s["low_freq_factor"]) / (s["high_freq_factor"] - s["low_freq_factor"]), 0, 1)
    return (1 / (kept + (1 - kept) / s["factor"])).astype(np.float32)


def add_metadata(w, arch, c, directory):
    w.add_block_count(c["num_hidden_layers"])
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(c["hidden_size"])
    w.add_feed_forward_length(c["intermediate_size"])
    w.add_head_count(c["num_attention_heads"])
    w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    w.add_rope_freq_base(c["rope_theta"])
    w.add_vocab_size(c["vocab_size"])
    scaling = c.get("rope_scaling")
    if scaling and scaling.get("type", scaling.get("rope_type")) == "yarn":
        w.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        w.add_rope_scaling_factor(scaling["factor"])
        w.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
        if "mscale_all_dim" in scaling:
            w.add_rope_scaling_yarn_log_mul(0.1 * scaling["mscale_all_dim"])
    if arch == "deepseek2":
        add_deepseek(w, c)
    else:
        w.add_head_count_kv(c["num_key_value_heads"])
        if "head_dim" in c:
            w.add_key_length(c["head_dim"])
            w.add_value_length(c["head_dim"])
    if arch == "qwen3moe":
        w.add_expert_count(c["num_experts"])
        w.add_expert_used_count(c["num_experts_per_tok"])
        w.add_expert_feed_forward_length(c["moe_intermediate_size"])
    add_tokenizer(w, directory, c["vocab_size"])


def add_deepseek(w, c):
    v3 = c["model_type"] == "deepseek_v3"
    keys = c["qk_nope_head_dim"] + c["qk_rope_head_dim"]
    w.add_head_count_kv(1 if v3 else c["num_attention_heads"])
    w.add_q_lora_rank(c["q_lora_rank"])
    w.add_kv_lora_rank(c["kv_lora_rank"])
    w.add_rope_dimension_count(c["qk_rope_head_dim"])
    w.add_key_length(c["kv_lora_rank"] + c["qk_rope_head_dim"] if v3 else keys)
    w.add_value_length(c["kv_lora_rank"] if v3 else c["v_head_dim"])
    if v3:
        w.add_key_length_mla(keys)
        w.add_value_length_mla(c["v_head_dim"])
    w.add_leading_dense_block_count(c["first_k_dense_replace"])
    w.add_expert_count(c["n_routed_experts"])
    w.add_expert_used_count(c["num_experts_per_tok"])
    w.add_expert_shared_count(c["n_shared_experts"])
    w.add_expert_feed_forward_length(c["moe_intermediate_size"])
    w.add_expert_weights_scale(c["routed_scaling_factor"])
    w.add_expert_weights_norm(c["norm_topk_prob"])
    w.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID if v3 else gguf.ExpertGatingFuncType.SOFTMAX)
    w.add_expert_group_count(c["n_group"])
    w.add_expert_group_used_count(c["topk_group"])


def add_tokenizer(w, directory, size):
    tokenizer = json.loads((directory / "tokenizer.json").read_text())
    texts = {i: text for text, i in tokenizer["model"]["vocab"].items()}
    types = {i: gguf.TokenType.NORMAL for i in texts}
    for token in tokenizer["added_tokens"]:
        texts[token["id"]] = token["content"]
        types[token["id"]] = gguf.TokenType.CONTROL if token["special"] else gguf.TokenType.USER_DEFINED
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("deepseek-v3")
    w.add_token_list([texts.get(i, f"[PAD{i}]") for i in range(size)])
    w.add_token_types([types.get(i, gguf.TokenType.UNUSED) for i in range(size)])
    merges = tokenizer["model"]["merges"]
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    w.add_bos_token_id(0)
    w.add_eos_token_id(1)
    w.add_chat_template(json.loads((directory / "tokenizer_config.json").read_text())["chat_template"])


def main():
    for name, (arch, kind, parts) in MODELS.items():
        directory = HERE.parent / name
        config = json.loads((directory / "config.json").read_text())
        limit = {"split_max_tensors": 20} if parts > 1 else {}
        w = gguf.GGUFWriter(HERE / f"{name}.gguf", arch, **limit)
        add_metadata(w, arch, config, directory)
        for tensor, values in tensors_of(directory, arch, config).items():
            plain = values.ndim == 1 or "ffn_gate_inp" in tensor
            stored = F32 if plain else kind
            w.add_tensor(tensor, values if plain else gguf.quants.quantize(values, stored), raw_dtype=stored)
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()


main()

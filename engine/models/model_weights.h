// SPDX-License-Identifier: GPL-3.0-or-later
//
// A model's weights by their place in the stack: views of a TensorSource, which must outlive them. Only the
// small vectors (norms, router biases) are copies in float32.
#pragma once

#include "engine/checkpoint/tensor_source.h"
#include "engine/models/model_config.h"
#include "kernels/matrix.h"

#include <optional>
#include <variant>
#include <vector>

namespace bathyscope {

struct MlaWeights {
    std::optional<kernels::MatrixView> qA; ///< q_a_proj [q_lora_rank, hidden]; none without q_lora
    std::vector<float> qANorm; ///< [q_lora_rank]
    kernels::MatrixView qB; ///< q_b_proj or q_proj [heads * (nope + rope), q_lora_rank or hidden]
    kernels::MatrixView kvA; ///< kv_a_proj_with_mqa [kv_lora_rank + rope, hidden]
    std::vector<float> kvANorm; ///< [kv_lora_rank]
    kernels::MatrixView kvB; ///< kv_b_proj [heads * (nope + value), kv_lora_rank]
    kernels::MatrixView o; ///< o_proj [hidden, heads * value]
};

struct GqaWeights {
    kernels::MatrixView q; ///< q_proj [heads * head_dim, hidden]
    kernels::MatrixView k; ///< k_proj [key-value heads * head_dim, hidden]
    kernels::MatrixView v; ///< v_proj, likewise
    kernels::MatrixView o; ///< o_proj [hidden, heads * head_dim]
    std::vector<float> qBias; ///< [q.rows]; the biases are empty where the model has none
    std::vector<float> kBias; ///< [k.rows]
    std::vector<float> vBias; ///< [v.rows]
    std::vector<float> qNorm; ///< q_norm [head_dim]; the norms are empty where the model has none
    std::vector<float> kNorm; ///< k_norm [head_dim]
};

/// A gated feed-forward block: down(silu(gate x) * up x).
struct FeedForwardWeights {
    kernels::MatrixView gate; ///< [intermediate, hidden]
    kernels::MatrixView up; ///< [intermediate, hidden]
    kernels::MatrixView down; ///< [hidden, intermediate]
};

struct MoeWeights {
    kernels::MatrixView router; ///< [n_routed_experts, hidden]
    std::vector<float> correctionBias; ///< [n_routed_experts], empty where the method has none
    std::vector<FeedForwardWeights> experts;
    std::optional<FeedForwardWeights> shared; ///< all shared experts side by side
};

struct LayerWeights {
    std::vector<float> inputNorm; ///< [hidden]
    std::variant<MlaWeights, GqaWeights> attention; ///< as in ModelConfig::attention
    std::vector<float> postAttentionNorm; ///< [hidden]
    std::optional<FeedForwardWeights> dense; ///< either this or
    std::optional<MoeWeights> moe; ///< this

    [[nodiscard]] const MlaWeights &mla() const { return std::get<MlaWeights>(attention); }
    [[nodiscard]] const GqaWeights &gqa() const { return std::get<GqaWeights>(attention); }
    [[nodiscard]] const kernels::MatrixView &outputProjection() const; ///< o_proj
};

/// The multi-token prediction layer; its embedding and head are the model's own.
struct MtpWeights {
    std::vector<float> embeddingNorm; ///< enorm [hidden]
    std::vector<float> hiddenNorm; ///< hnorm [hidden]
    kernels::MatrixView projection; ///< eh_proj [hidden, 2 * hidden]: embedding half first
    LayerWeights layer;
    std::vector<float> finalNorm; ///< shared_head.norm [hidden]
    kernels::MatrixView head; ///< shared_head.head, or the model's [vocab, hidden]
};

struct ModelWeights {
    kernels::MatrixView embedding; ///< [vocab, hidden]
    std::vector<LayerWeights> layers;
    std::vector<float> finalNorm; ///< [hidden]
    kernels::MatrixView head; ///< [vocab, hidden]
    std::optional<MtpWeights> mtp;
};

/// Finds every tensor the configuration needs and checks its shape. Throws Error naming the tensor.
ModelWeights bindWeights(const ModelConfig &config, const TensorSource &source);

/// Numbers of weights, in all and those that one token uses (all experts but the routed ones not chosen).
struct ParameterCount {
    std::uint64_t total = 0;
    std::uint64_t active = 0;
};
ParameterCount countParameters(const ModelConfig &config, const ModelWeights &weights);

} // namespace bathyscope

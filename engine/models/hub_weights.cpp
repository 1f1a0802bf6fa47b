// SPDX-License-Identifier: GPL-3.0-or-later
//
// Tensor names as on the public hub, which are the same for all families known here: DeepSeek, Llama, Qwen.
#include "engine/models/model_weights.h"
#include "engine/models/tensor_binder.h"

#include <fmt/format.h>

namespace bathyscope {

namespace {

MlaWeights bindAttention(const TensorBinder &b, const ModelConfig &c, const MlaConfig &m,
                         const std::string &prefix)
{
    const std::int64_t heads = c.numAttentionHeads;
    MlaWeights w;
    if (m.qLoraRank > 0) {
        w.qA = b.matrix(prefix + "q_a_proj", m.qLoraRank, c.hiddenSize);
        w.qANorm = b.vector(prefix + "q_a_layernorm.weight", m.qLoraRank);
        w.qB = b.matrix(prefix + "q_b_proj", heads * m.qkHeadDim(), m.qLoraRank);
    } else {
        w.qB = b.matrix(prefix + "q_proj", heads * m.qkHeadDim(), c.hiddenSize);
    }
    w.kvA = b.matrix(prefix + "kv_a_proj_with_mqa", m.cacheWidth(), c.hiddenSize);
    w.kvANorm = b.vector(prefix + "kv_a_layernorm.weight", m.kvLoraRank);
    w.kvB = b.matrix(prefix + "kv_b_proj", heads * (m.qkNopeHeadDim + m.vHeadDim), m.kvLoraRank);
    w.o = b.matrix(prefix + "o_proj", c.hiddenSize, heads * m.vHeadDim);
    return w;
}

GqaWeights bindAttention(const TensorBinder &b, const ModelConfig &c, const GqaConfig &g,
                         const std::string &prefix)
{
    const std::int64_t queryWidth = std::int64_t(c.numAttentionHeads) * g.headDim;
    GqaWeights w;
    w.q = b.matrix(prefix + "q_proj", queryWidth, c.hiddenSize);
    w.k = b.matrix(prefix + "k_proj", g.keyWidth(), c.hiddenSize);
    w.v = b.matrix(prefix + "v_proj", g.keyWidth(), c.hiddenSize);
    w.o = b.matrix(prefix + "o_proj", c.hiddenSize, queryWidth);
    if (g.qkvBias) {
        w.qBias = b.vector(prefix + "q_proj.bias", queryWidth);
        w.kBias = b.vector(prefix + "k_proj.bias", g.keyWidth());
        w.vBias = b.vector(prefix + "v_proj.bias", g.keyWidth());
    }
    if (g.qkNorm) {
        w.qNorm = b.vector(prefix + "q_norm.weight", g.headDim);
        w.kNorm = b.vector(prefix + "k_norm.weight", g.headDim);
    }
    return w;
}

FeedForwardWeights bindFeedForward(const TensorBinder &b, const std::string &prefix, std::int64_t hidden,
                                   std::int64_t intermediate)
{
    return {b.matrix(prefix + "gate_proj", intermediate, hidden),
            b.matrix(prefix + "up_proj", intermediate, hidden),
            b.matrix(prefix + "down_proj", hidden, intermediate)};
}

MoeWeights bindMoe(const TensorBinder &b, const ModelConfig &c, const std::string &prefix)
{
    const MoeConfig &moe = *c.moe;
    MoeWeights w;
    w.router = b.matrix(prefix + "gate", moe.nRoutedExperts, c.hiddenSize);
    if (moe.topkMethod == TopkMethod::NoauxTc)
        w.correctionBias = b.vector(prefix + "gate.e_score_correction_bias", moe.nRoutedExperts);
    for (std::int32_t e = 0; e < moe.nRoutedExperts; ++e)
        w.experts.push_back(bindFeedForward(b, fmt::format("{}experts.{}.", prefix, e), c.hiddenSize,
                                            moe.moeIntermediateSize));
    if (moe.nSharedExperts > 0)
        w.shared = bindFeedForward(b, prefix + "shared_experts.", c.hiddenSize,
                                   std::int64_t(moe.moeIntermediateSize) * moe.nSharedExperts);
    return w;
}

LayerWeights bindLayer(const TensorBinder &b, const ModelConfig &c, const std::string &prefix, bool isMoe)
{
    LayerWeights w;
    w.inputNorm = b.vector(prefix + "input_layernorm.weight", c.hiddenSize);
    std::visit([&](const auto &kind) { w.attention = bindAttention(b, c, kind, prefix + "self_attn."); },
               c.attention);
    w.postAttentionNorm = b.vector(prefix + "post_attention_layernorm.weight", c.hiddenSize);
    if (isMoe)
        w.moe = bindMoe(b, c, prefix + "mlp.");
    else
        w.dense = bindFeedForward(b, prefix + "mlp.", c.hiddenSize, c.intermediateSize);
    return w;
}

/// The layer after the last: checkpoints store it there (DeepSeek-V3, README_WEIGHTS.md). Its embedding and
/// head repeat the model's own and may be left out.
MtpWeights bindMtp(const TensorBinder &b, const ModelConfig &c, const kernels::MatrixView &head)
{
    const std::string prefix = fmt::format("model.layers.{}.", c.numHiddenLayers);
    MtpWeights w;
    w.embeddingNorm = b.vector(prefix + "enorm.weight", c.hiddenSize);
    w.hiddenNorm = b.vector(prefix + "hnorm.weight", c.hiddenSize);
    w.projection = b.matrix(prefix + "eh_proj", c.hiddenSize, std::int64_t(2) * c.hiddenSize);
    w.layer = bindLayer(b, c, prefix, c.moe.has_value());
    w.finalNorm = b.vector(prefix + "shared_head.norm.weight", c.hiddenSize);
    w.head = b.has(prefix + "shared_head.head.weight")
        ? b.matrix(prefix + "shared_head.head", c.vocabSize, c.hiddenSize)
        : head;
    return w;
}

} // namespace

ModelWeights bindWeights(const ModelConfig &c, const TensorSource &source)
{
    const TensorBinder b(source);
    ModelWeights w;
    w.embedding = b.matrix("model.embed_tokens", c.vocabSize, c.hiddenSize);
    for (std::int32_t i = 0; i < c.numHiddenLayers; ++i)
        w.layers.push_back(
            bindLayer(b, c, fmt::format("model.layers.{}.", i), c.layerIsMoe[static_cast<std::size_t>(i)]));
    w.finalNorm = b.vector("model.norm.weight", c.hiddenSize);
    w.head = c.tieWordEmbeddings ? w.embedding : b.matrix("lm_head", c.vocabSize, c.hiddenSize);
    // A config may announce a layer that a converted checkpoint no longer has; generation does not need it.
    if (c.numNextnPredictLayers > 0
        && b.has(fmt::format("model.layers.{}.eh_proj.weight", c.numHiddenLayers)))
        w.mtp = bindMtp(b, c, w.head);
    return w;
}

} // namespace bathyscope

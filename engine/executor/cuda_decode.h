// SPDX-License-Identifier: GPL-3.0-or-later
//
// Up to eight tokens through the layers of one card: a captured graph of kernels for each shape of a step,
// which reads what differs from step to step from device memory.
#pragma once

#include "engine/executor/cuda_host_experts.h"
#include "engine/executor/cuda_state.h"
#include "kernels/cuda/choose_kernels.h"
#include "kernels/cuda/decode_kernels.h"

#include <compare>
#include <initializer_list>
#include <map>

namespace bathyscope::cuda {

/// Which part of the stack a step takes.
struct DecodeRange {
    std::int32_t firstLayer = 0; ///< of the part
    std::int32_t layers = 0;
    bool embed = false; ///< step.ids into x; else x is given
    bool logits = false; ///< of the tokens from logitsFrom on
    std::int32_t logitsFrom = 0;
    std::int32_t firstMoeLayer = 0; ///< MoE layers of the part before firstLayer
    bool draft = false; ///< with `logits`: those of the multi-token prediction layer
    bool shared = false; ///< of firstLayer only the experts that all tokens share, without its other parts
    bool choose = false; ///< with `logits`: of the token logitsFrom, by step.choose
    bool trace = false; ///< with `choose`: the part's experts, for the host

    auto operator<=>(const DecodeRange &) const = default;
};

/// Activations of a step; float32 but for the choices. Device pointers.
struct DecodeBuffers {
    float *x = nullptr; ///< residual stream [tokens, hidden]
    float *queryLatent = nullptr; ///< [tokens, q_lora_rank]
    float *query = nullptr; ///< [tokens, heads * (nope + rope)]
    float *kv = nullptr; ///< [tokens, latent + rope]; grouped: all keys [tokens, key width], then all values
    float *absorbed = nullptr; ///< [tokens, heads, latent + rope]
    float *partial = nullptr; ///< see AttentionParams, GroupedAttentionParams
    float *partialSums = nullptr; ///< likewise
    float *attended = nullptr; ///< [tokens, heads * value]
    float *routerLogits = nullptr; ///< [tokens, experts]
    float *activations = nullptr; ///< [tokens, chosen * moe_intermediate_size + shared rows]
    kernels::cuda::DecodeChoice *choices = nullptr; ///< [MoE layers, tokens, chosen]
    float *logits = nullptr; ///< [tokens, vocabulary]
    float *sliceMaxima = nullptr; ///< see ChooseParams
    float *sliceSums = nullptr; ///< likewise
    float *sliceTempered = nullptr; ///< likewise
    kernels::cuda::DecodeStep *step = nullptr;
    kernels::cuda::RoutingTable *routing = nullptr; ///< of the layer that runs
    std::uint32_t *arrivals = nullptr; ///< see RouteParams
    std::uint32_t *attentionArrivals = nullptr; ///< see GroupedAttentionParams
};

class Pieces;

class Decode {
public:
    /// `part` and `hostExperts` outlive the result; its card is current. `trace` [MoE layers of the model,
    /// tokens, num_experts_per_tok] is pinned and gets the part's experts of a step with DecodeRange::trace.
    Decode(const Model &model, std::size_t part, kernels::cuda::DecodeChoice *trace,
           HostExperts *hostExperts);

    /// Enqueues the range on the part's stream; waits for it only where experts are the host's.
    void run(const kernels::cuda::DecodeStep &step, const DecodeRange &range, const Cache &cache);

    /// The same for the multi-token prediction layer, x given.
    void runDraft(const kernels::cuda::DecodeStep &step, const Cache &cache);

    /// y[t] = W x[t]; device pointers.
    void multiply(const DeviceMatrix &matrix, const float *x, float *y, std::int32_t tokens) const;

    [[nodiscard]] const DecodeBuffers &buffers() const { return m_buffers; }

    /// Of the last step with DecodeRange::choose, once it has ended.
    [[nodiscard]] const kernels::cuda::ChooseResult &choice() const
    {
        return *m_choice.as<kernels::cuda::ChooseResult>();
    }

private:
    struct GraphKey {
        std::int32_t tokens;
        DecodeRange range;

        auto operator<=>(const GraphKey &) const = default;
    };

    /// A matrix and where its products go.
    struct Product {
        DeviceMatrix matrix;
        float *to;
    };

    void planAttention(Pieces &pieces, const MlaConfig &mla);
    void planAttention(Pieces &pieces, const GqaConfig &gqa);
    void begin(kernels::cuda::DecodeStep step, const DecodeRange &range, const Cache &cache);
    void launch(const GraphKey &key);
    void runHostExperts(std::int32_t layer, std::int32_t moeLayer, std::int32_t tokens);
    void runRange(const GraphKey &key) const;
    void runLayer(std::int32_t index, std::int32_t moeLayer, std::int32_t tokens) const;
    void project(std::initializer_list<Product> products, const float *x, const float *norm,
                 std::int32_t tokens) const;
    void latentAttention(const DeviceLayer &layer, std::int32_t index, std::int32_t tokens) const;
    void groupedAttention(const DeviceLayer &layer, std::int32_t index, std::int32_t tokens) const;
    void attend(const DeviceLayer &layer, std::int32_t index, std::int32_t tokens) const;
    void feedForward(const DeviceLayer &layer, std::int32_t moeLayer, std::int32_t tokens) const;
    void computeFeedForward(const DeviceLayer &layer, std::int32_t tokens, std::int32_t chosen) const;
    void computeLogits(const GraphKey &key) const;
    void choose(const GraphKey &key) const;

    const Model &m_model;
    const Part &m_part;
    std::size_t m_partIndex;
    kernels::cuda::RoutingShape m_routing;
    kernels::cuda::DecodeKernels m_kernels;
    kernels::cuda::ChooseKernels m_chooseKernels;
    kernels::cuda::DecodeChoice *m_trace;
    HostExperts *m_hostExperts; ///< none: all experts are on the cards
    kernels::cuda::PinnedBuffer m_choice; ///< last part only
    std::vector<DeviceLayer> m_layers; ///< the draft's last
    std::int32_t m_activationStride = 0;
    DeviceBuffer m_memory;
    DecodeBuffers m_buffers;
    std::map<GraphKey, kernels::cuda::Graph> m_graphs;
};

/// Ids, position and angles.
kernels::cuda::DecodeStep makeStep(const RopeTable &rope, std::span<const TokenId> tokens,
                                   std::int32_t firstPosition);

} // namespace bathyscope::cuda

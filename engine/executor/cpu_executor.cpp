// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cpu_executor.h"

#include "engine/error.h"
#include "engine/executor/cpu_state.h"
#include "engine/system_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

namespace bathyscope {

namespace cpu {

State::State(const ModelConfig &modelConfig, std::shared_ptr<const TensorSource> tensors, int threads)
    : config(modelConfig)
    , source(std::move(tensors))
    , weights(bindWeights(config, *source))
    , rope(config.rope, config.ropeDimensions())
    , softmaxScale(config.softmaxScale())
    , scratch(static_cast<std::size_t>(threads))
    , feedForward(config, threads)
{
}

void State::reserve(std::int64_t tokens)
{
    const auto n = static_cast<std::size_t>(tokens);
    const auto hidden = static_cast<std::size_t>(config.hiddenSize);
    if (buffers.x.size() >= n * hidden)
        return;
    std::size_t intermediate = static_cast<std::size_t>(config.intermediateSize);
    std::size_t activations = intermediate;
    if (config.moe) {
        const auto expert = static_cast<std::size_t>(config.moe->moeIntermediateSize);
        const std::size_t shared = expert * static_cast<std::size_t>(config.moe->nSharedExperts);
        intermediate = std::max({intermediate, expert, shared});
        activations =
            std::max(activations, expert * static_cast<std::size_t>(config.moe->numExpertsPerTok) + shared);
        buffers.routerLogits.resize(n * static_cast<std::size_t>(config.moe->nRoutedExperts));
        buffers.choices.resize(n * static_cast<std::size_t>(config.moe->numExpertsPerTok));
    }
    buffers.x.resize(n * hidden);
    buffers.normed.resize(n * hidden);
    buffers.kv.resize(n * static_cast<std::size_t>(config.cacheWidth()));
    buffers.activations.resize(activations);
    buffers.cosines.resize(n * static_cast<std::size_t>(config.ropeDimensions() / 2));
    buffers.sines.resize(buffers.cosines.size());
    for (Scratch &own : scratch) {
        own.normed.resize(hidden);
        own.block.resize(intermediate);
        if (config.moe && !own.router) {
            own.router.emplace(*config.moe);
            own.choices.resize(static_cast<std::size_t>(config.moe->numExpertsPerTok));
        }
    }
    if (tokens > 1)
        feedForward.reserve(tokens);
    std::visit([&](const auto &kind) { reserveAttention(n, kind); }, config.attention);
}

void State::reserveAttention(std::size_t tokens, const MlaConfig &mla)
{
    const auto heads = static_cast<std::size_t>(config.numAttentionHeads);
    buffers.queryLatent.resize(tokens * static_cast<std::size_t>(mla.qLoraRank));
    buffers.query.resize(tokens * heads * static_cast<std::size_t>(mla.qkHeadDim()));
    buffers.absorbed.resize(heads * static_cast<std::size_t>(mla.cacheWidth()));
    buffers.attended.resize(tokens * heads * static_cast<std::size_t>(mla.vHeadDim));
    for (Scratch &own : scratch) {
        own.queryNormed.resize(static_cast<std::size_t>(mla.qLoraRank));
        own.query.resize(heads * static_cast<std::size_t>(mla.kvLoraRank));
        own.attention.resize(static_cast<std::size_t>(
            kernels::expandedAttentionScratch(mla.qkNopeHeadDim, mla.qkRopeHeadDim, mla.vHeadDim)));
    }
}

void State::reserveAttention(std::size_t tokens, const GqaConfig &gqa)
{
    const auto width = static_cast<std::size_t>(config.numAttentionHeads * gqa.headDim);
    buffers.query.resize(tokens * width);
    buffers.attended.resize(tokens * width);
    for (Scratch &own : scratch)
        own.attention.resize(static_cast<std::size_t>(kernels::groupedPrefillScratch(gqa.headDim)));
}

namespace {

constexpr std::int32_t prefillChunk = 512;

class CpuExecutor final : public Executor {
public:
    CpuExecutor(const ModelConfig &config, std::shared_ptr<const TensorSource> source, int threads)
        : m_team(threads)
        , m_state(config, std::move(source), threads)
    {
        m_state.reserve(1);
    }

    const ModelConfig &config() const override { return m_state.config; }
    std::string deviceName() const override
    {
        return fmt::format("CPU · {} thread{}", m_team.size(), m_team.size() == 1 ? "" : "s");
    }
    std::int32_t maxChunk() const override { return prefillChunk; }
    bool hasDraft() const override { return m_state.weights.mtp.has_value(); }
    DeviceMemory memory() const override
    {
        // Mapped weights take their memory when they are first read.
        DeviceMemory memory = systemMemory();
        memory.available = std::max<std::int64_t>(0, memory.available - m_state.source->bytes());
        return memory;
    }
    bool hasRouterLogits() const override { return true; }
    std::span<const float> correctionBias(std::int32_t layer) const override
    {
        return m_state.weights.layers[static_cast<std::size_t>(layer)].moe->correctionBias;
    }
    std::int64_t cacheBytesPerToken() const override
    {
        return std::int64_t(m_state.config.numHiddenLayers) * m_state.config.cacheWidth()
            * std::int64_t(sizeof(float));
    }

    std::unique_ptr<KvCache> createCache(std::int32_t capacity) override
    {
        const std::int64_t layers = m_state.config.numHiddenLayers + (m_state.weights.mtp ? 1 : 0);
        try {
            return std::make_unique<Cache>(capacity, layers, m_state.config.cacheWidth());
        } catch (const std::bad_alloc &) {
            throw Error(fmt::format("a cache for {} tokens needs {:.1f} GB, more than this machine gives: "
                                    "choose a shorter context",
                                    capacity, double(cacheBytesPerToken()) * capacity / 1e9));
        }
    }

    void forward(const ForwardRequest &request, KvCache &cache, ForwardResult &result) override;
    void draft(std::span<const TokenId> tokens, std::span<const float> hidden, std::int32_t position,
               KvCache &cache, std::vector<float> &logits) override;

private:
    void prepare(std::span<const TokenId> tokens, std::int64_t firstPosition);
    void runLayer(Member &member, const LayerWeights &layer, float *cache, const Chunk &chunk);
    void computeLogits(Member &member, const kernels::MatrixView &head, const std::vector<float> &norm,
                       std::int64_t firstToken, std::int64_t tokens, float *logits);
    void copyRouting(std::size_t firstRow, std::size_t moeLayer, ForwardResult &result) const;
    void resizeResult(const ForwardRequest &request, ForwardResult &result) const;

    ThreadTeam m_team;
    State m_state;
};

/// Embeddings into the residual stream, angles of all positions.
void CpuExecutor::prepare(std::span<const TokenId> tokens, std::int64_t firstPosition)
{
    m_state.reserve(static_cast<std::int64_t>(tokens.size()));
    const std::int64_t half = m_state.config.ropeDimensions() / 2;
    Buffers &b = m_state.buffers;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        kernels::widenRow(m_state.weights.embedding, tokens[t],
                          b.x.data() + t * static_cast<std::size_t>(m_state.config.hiddenSize));
        const std::int64_t offset = static_cast<std::int64_t>(t) * half;
        m_state.rope.angles(firstPosition + static_cast<std::int64_t>(t), b.cosines.data() + offset,
                            b.sines.data() + offset);
    }
}

void CpuExecutor::runLayer(Member &member, const LayerWeights &layer, float *cache, const Chunk &chunk)
{
    if (chunk.tokens == 1)
        decodeLayer(member, m_state, layer, cache, chunk);
    else
        prefillLayer(member, m_state, layer, cache, chunk);
}

/// logits[t] = head · norm(x[firstToken + t]).
void CpuExecutor::computeLogits(Member &member, const kernels::MatrixView &head,
                                const std::vector<float> &norm, std::int64_t firstToken, std::int64_t tokens,
                                float *logits)
{
    const std::int64_t hidden = m_state.config.hiddenSize;
    Buffers &b = m_state.buffers;
    member.forEach(tokens, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t)
            kernels::rmsNorm({.x = b.x.data() + (firstToken + t) * hidden,
                              .weight = norm.data(),
                              .y = b.normed.data() + t * hidden,
                              .n = hidden,
                              .epsilon = static_cast<float>(m_state.config.rmsNormEps)});
    });
    if (!logits)
        return;
    if (tokens > 1)
        return multiply(member, {.weights = head, .m = tokens, .x = b.normed.data(), .y = logits});
    member.forEach(head.rows, rowGrain(member, head.rows), [&](std::int64_t begin, std::int64_t end) {
        kernels::gemv({.weights = head, .rowBegin = begin, .rowEnd = end, .x = b.normed.data(), .y = logits});
    });
}

void CpuExecutor::resizeResult(const ForwardRequest &request, ForwardResult &result) const
{
    const ModelConfig &c = m_state.config;
    const std::size_t tokens = request.tokens.size();
    const std::size_t outputs = request.logits == LogitsOf::AllTokens ? tokens
        : request.logits == LogitsOf::LastToken                       ? 1
                                                                      : 0;
    const auto hidden = static_cast<std::size_t>(c.hiddenSize);
    result.logits.resize(outputs * static_cast<std::size_t>(c.vocabSize));
    const std::size_t perToken =
        c.moe ? c.moeLayers().size() * static_cast<std::size_t>(c.moe->numExpertsPerTok) : 0;
    result.routing.resize(request.routing ? outputs * perToken : 0);
    const std::size_t scored =
        c.moe ? c.moeLayers().size() * static_cast<std::size_t>(c.moe->nRoutedExperts) : 0;
    result.routerLogits.resize(request.routerLogits ? outputs * scored : 0);
    result.hidden.resize(request.hidden ? static_cast<std::size_t>(c.numHiddenLayers) * tokens * hidden : 0);
    result.draftInput.resize(request.draftInput ? tokens * hidden : 0);
}

/// Rows of the layer just computed, from `firstRow` of the chunk on, to their places in the result.
void CpuExecutor::copyRouting(std::size_t firstRow, std::size_t moeLayer, ForwardResult &result) const
{
    const std::size_t layers = m_state.config.moeLayers().size();
    const auto copyRows = [&](const auto &rows, auto &out, std::size_t width) {
        for (std::size_t t = 0; t < out.size() / (layers * width); ++t)
            std::copy_n(rows.data() + (firstRow + t) * width, width,
                        out.data() + (t * layers + moeLayer) * width);
    };
    const MoeConfig &moe = *m_state.config.moe;
    copyRows(m_state.buffers.choices, result.routing, static_cast<std::size_t>(moe.numExpertsPerTok));
    copyRows(m_state.buffers.routerLogits, result.routerLogits, static_cast<std::size_t>(moe.nRoutedExperts));
}

void CpuExecutor::forward(const ForwardRequest &request, KvCache &cache, ForwardResult &result)
{
    const auto tokens = static_cast<std::int64_t>(request.tokens.size());
    auto &latents = static_cast<Cache &>(cache);
    const ModelConfig &c = m_state.config;
    Buffers &b = m_state.buffers;
    prepare(request.tokens, cache.length());
    resizeResult(request, result);

    const bool allTokens = request.logits == LogitsOf::AllTokens || request.hidden || request.draftInput;
    const std::int64_t firstOutput = request.logits == LogitsOf::AllTokens ? 0 : tokens - 1;
    m_team.run([&](Member &member) {
        std::size_t moeLayer = 0;
        for (std::int32_t i = 0; i < c.numHiddenLayers; ++i) {
            const LayerWeights &layer = m_state.weights.layers[static_cast<std::size_t>(i)];
            const bool last = i + 1 == c.numHiddenLayers;
            const Chunk chunk{tokens, cache.length(), last && !allTokens ? tokens - 1 : 0};
            runLayer(member, layer, latents.layer(i), chunk);
            if (member.index() != 0)
                continue; // only the first thread hands out what was seen
            if (!result.hidden.empty())
                std::copy_n(b.x.data(), tokens * c.hiddenSize,
                            result.hidden.data() + i * tokens * c.hiddenSize);
            if (layer.moe)
                copyRouting(static_cast<std::size_t>(firstOutput - chunk.firstNeeded), moeLayer++, result);
        }
        if (request.draftInput) {
            computeLogits(member, m_state.weights.head, m_state.weights.finalNorm, 0, tokens, nullptr);
            if (member.index() == 0)
                std::copy_n(b.normed.data(), tokens * c.hiddenSize, result.draftInput.data());
            member.barrier();
        }
        if (request.logits != LogitsOf::None)
            computeLogits(member, m_state.weights.head, m_state.weights.finalNorm, firstOutput,
                          tokens - firstOutput, result.logits.data());
    });
    cache.advance(static_cast<std::int32_t>(tokens));
    result.choice = request.choice ? chooseToken(result.logits, *request.choice) : TokenChoice();
    if (result.choice.token >= 0)
        result.logits.clear();
}

void CpuExecutor::draft(std::span<const TokenId> tokens, std::span<const float> hidden, std::int32_t position,
                        KvCache &cache, std::vector<float> &logits)
{
    if (!m_state.weights.mtp)
        throw Error("this model has no multi-token prediction layer");
    const MtpWeights &w = *m_state.weights.mtp;
    const auto n = static_cast<std::int64_t>(tokens.size());
    const std::int64_t width = m_state.config.hiddenSize;
    const auto epsilon = static_cast<float>(m_state.config.rmsNormEps);
    prepare(tokens, position);
    logits.resize(tokens.size() * static_cast<std::size_t>(m_state.config.vocabSize));
    std::vector<float> joined(static_cast<std::size_t>(2 * n * width));
    for (std::int64_t t = 0; t < n; ++t) {
        float *row = joined.data() + 2 * t * width;
        kernels::rmsNorm({m_state.buffers.x.data() + t * width, w.embeddingNorm.data(), row, width, epsilon});
        kernels::rmsNorm({hidden.data() + t * width, w.hiddenNorm.data(), row + width, width, epsilon});
    }
    auto &latents = static_cast<Cache &>(cache);
    m_team.run([&](Member &member) {
        multiply(member,
                 {.weights = w.projection, .m = n, .x = joined.data(), .y = m_state.buffers.x.data()});
        runLayer(member, w.layer, latents.layer(m_state.config.numHiddenLayers), {n, position, 0});
        computeLogits(member, w.head, w.finalNorm, 0, n, logits.data());
    });
}

} // namespace

} // namespace cpu

std::unique_ptr<Executor> createCpuExecutor(const ModelConfig &config,
                                            std::shared_ptr<const TensorSource> source, int threads)
{
    const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    return std::make_unique<cpu::CpuExecutor>(config, std::move(source), threads > 0 ? threads : cores);
}

} // namespace bathyscope

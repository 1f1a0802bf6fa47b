// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_executor.h"

#include "engine/error.h"
#include "engine/executor/cuda_chunks.h"
#include "engine/executor/cuda_decode.h"
#include "engine/executor/cuda_model.h"
#include "engine/executor/cuda_prefill_workspace.h"
#include "kernels/cpu/operations.h"

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope {

namespace cuda {

namespace {

using kernels::cuda::CudaError;
using kernels::cuda::DecodeChoice;
using kernels::cuda::decodeMaxTokens;
using kernels::cuda::DecodeStep;
using kernels::cuda::PinnedBuffer;

static_assert(sizeof(DecodeChoice) == sizeof(ExpertChoice));

/// Runs `work`; a failed call becomes an Error for people.
template <typename Work>
auto guarded(const char *what, const Work &work)
{
    try {
        return work();
    } catch (const CudaError &error) {
        throw Error(error.outOfMemory()
                        ? fmt::format("{}: the GPU has not enough memory left: choose a shorter context, "
                                      "another device, or close other programs that use it",
                                      what)
                        : fmt::format("{}: {}", what, error.what()));
    }
}

static_assert(maxChoiceCandidates == kernels::cuda::chooseMaxCandidates);

kernels::cuda::ChooseSettings settingsOf(const ChoiceRequest &request)
{
    return {.candidates = request.candidates,
            .temperature = request.temperature,
            .topK = request.topK,
            .topP = request.topP,
            .minP = request.minP,
            .uniform = request.uniform};
}

std::unique_ptr<HostExperts> createHostExperts(const Model &model, const ModelWeights &weights,
                                               const CudaOptions &options)
{
    const std::int32_t layers = model.config.numHiddenLayers + (weights.mtp ? 1 : 0);
    if (!model.config.moe || options.hostExpertsFrom >= layers)
        return nullptr;
    const std::int32_t tokens = std::max(prefillChunkTokens(model.config), decodeMaxTokens);
    return std::make_unique<HostExperts>(model, weights, tokens, options.threads);
}

class CudaExecutor final : public Executor {
public:
    CudaExecutor(const ModelConfig &config, std::shared_ptr<const TensorSource> source,
                 std::span<const CudaShare> shares, const CudaOptions &options)
        : m_source(std::move(source))
        , m_weights(bindWeights(config, *m_source))
        , m_model(config, m_weights, shares, options)
        , m_hostExperts(createHostExperts(m_model, m_weights, options))
        , m_chunks(m_model, {.quantiseActivations = !options.bf16Activations}, m_hostExperts.get())
    {
        const auto vocabulary = static_cast<std::size_t>(config.vocabSize);
        const auto hidden = static_cast<std::size_t>(config.hiddenSize);
        m_logits = PinnedBuffer(decodeMaxTokens * vocabulary * sizeof(float));
        m_hidden = PinnedBuffer(decodeMaxTokens * hidden * sizeof(float));
        if (config.moe)
            m_routing =
                PinnedBuffer(decodeMaxTokens * config.moeLayers().size()
                             * static_cast<std::size_t>(config.moe->numExpertsPerTok) * sizeof(ExpertChoice));
        for (std::size_t i = 0; i < m_model.parts.size(); ++i) {
            m_model.parts[i].device->makeCurrent();
            m_decode.push_back(
                std::make_unique<Decode>(m_model, i, m_routing.as<DecodeChoice>(), m_hostExperts.get()));
        }
        if (m_weights.mtp)
            m_joined = DeviceBuffer(decodeMaxTokens * 2 * hidden * sizeof(float));
    }

    const ModelConfig &config() const override { return m_model.config; }
    std::string deviceName() const override;
    std::int32_t maxChunk() const override { return std::max(m_chunks.maxTokens(), fewTokens); }
    bool hasDraft() const override { return m_weights.mtp.has_value(); }
    std::int64_t cacheBytesPerToken() const override
    {
        return std::int64_t(config().numHiddenLayers) * config().cacheWidth() * 2;
    }
    DeviceMemory memory() const override;
    std::unique_ptr<KvCache> createCache(std::int32_t capacity) override
    {
        return guarded("the cache", [&] { return cuda::createCache(m_model, capacity); });
    }
    void forward(const ForwardRequest &request, KvCache &cache, ForwardResult &result) override;
    void draft(std::span<const TokenId> tokens, std::span<const float> hidden, std::int32_t position,
               KvCache &cache, std::vector<float> &logits) override;

private:
    /// Up to so many tokens are taken eight at a time, in half the time of a chunk and more exactly.
    static constexpr std::int32_t fewTokens = 32;

    /// What a group of tokens hands out, by their place in the request.
    struct Group {
        std::size_t first = 0; ///< token of the request
        std::size_t firstOutput = 0; ///< first token of the request that logits are asked for
        bool byLayers = false; ///< the residual stream is read after each layer
    };

    void runGroup(const ForwardRequest &request, const Group &group, const DecodeStep &step,
                  const Cache &cache, ForwardResult &result);

    void runChunk(const ForwardRequest &request, std::size_t outputs, KvCache &cache, ForwardResult &result);
    void readLogits(float *to, std::size_t tokens);
    void readHidden(std::size_t part, const DecodeStep &step, float *to);
    void handOn(std::size_t part, const DecodeStep &step);
    void readOutputs(const ForwardRequest &request, const Group &group, const DecodeStep &step,
                     ForwardResult &result);
    void readChoice(ForwardResult &result);
    void normaliseForDraft(const float *x, std::int64_t tokens, float *to) const;

    std::shared_ptr<const TensorSource> m_source;
    ModelWeights m_weights; ///< on the host: views of m_source
    Model m_model;
    std::unique_ptr<HostExperts> m_hostExperts; ///< none: all experts are on the cards
    Chunks m_chunks;
    std::vector<std::unique_ptr<Decode>> m_decode; ///< by part
    PinnedBuffer m_logits; ///< [decodeMaxTokens, vocab_size]
    PinnedBuffer m_hidden; ///< [decodeMaxTokens, hidden_size]
    PinnedBuffer m_routing; ///< [MoE layers, tokens, num_experts_per_tok]
    DeviceBuffer m_joined; ///< [decodeMaxTokens, 2 * hidden_size], of the draft
};

std::string CudaExecutor::deviceName() const
{
    const auto &parts = m_model.parts;
    const std::string &name = parts.front().info.name;
    return parts.size() == 1 ? name : fmt::format("{} × {}", parts.size(), name);
}

DeviceMemory CudaExecutor::memory() const
{
    DeviceMemory all;
    for (const Part &part : m_model.parts) {
        all.total += static_cast<std::int64_t>(part.info.totalMemory);
        all.available += static_cast<std::int64_t>(part.device->freeMemory());
    }
    return all;
}

void CudaExecutor::readHidden(std::size_t part, const DecodeStep &step, float *to)
{
    const std::size_t bytes =
        static_cast<std::size_t>(step.tokens) * static_cast<std::size_t>(config().hiddenSize) * sizeof(float);
    const auto &stream = m_model.parts[part].stream;
    kernels::cuda::copyToHost(m_hidden.as(), m_decode[part]->buffers().x, bytes, stream);
    stream.synchronize();
    std::copy_n(m_hidden.as<float>(), bytes / sizeof(float), to);
}

/// The residual stream to the next card.
void CudaExecutor::handOn(std::size_t part, const DecodeStep &step)
{
    const std::size_t bytes =
        static_cast<std::size_t>(step.tokens) * static_cast<std::size_t>(config().hiddenSize) * sizeof(float);
    const Part &from = m_model.parts[part];
    const Part &to = m_model.parts[part + 1];
    kernels::cuda::copyToPeer(*to.device, m_decode[part + 1]->buffers().x, *from.device,
                              m_decode[part]->buffers().x, bytes, from.stream);
    from.stream.synchronize();
}

void CudaExecutor::runGroup(const ForwardRequest &request, const Group &group, const DecodeStep &step,
                            const Cache &cache, ForwardResult &result)
{
    const auto tokens = static_cast<std::size_t>(step.tokens);
    const auto hidden = static_cast<std::size_t>(config().hiddenSize);
    const bool outputs = request.logits != LogitsOf::None && group.firstOutput < group.first + tokens;
    const bool chooses = outputs && request.choice;
    const auto logitsFrom = static_cast<std::int32_t>(std::max(group.firstOutput, group.first) - group.first);
    for (std::size_t p = 0; p < m_model.parts.size(); ++p) {
        const Part &part = m_model.parts[p];
        part.device->makeCurrent();
        const auto layers = static_cast<std::int32_t>(part.layers.size());
        const std::int32_t step1 = group.byLayers ? 1 : layers;
        std::int32_t moeLayer = 0;
        for (std::int32_t layer = 0; layer < layers; layer += step1) {
            const bool last = part.head.rows > 0 && layer + step1 == layers;
            m_decode[p]->run(step,
                             {.firstLayer = layer,
                              .layers = step1,
                              .embed = p == 0 && layer == 0,
                              .logits = outputs && last,
                              .logitsFrom = logitsFrom,
                              .firstMoeLayer = moeLayer,
                              .choose = chooses && last,
                              .trace = chooses && last && request.routing},
                             cache);
            moeLayer += part.layers[static_cast<std::size_t>(layer)].router.rows > 0;
            if (request.hidden)
                readHidden(p, step,
                           result.hidden.data()
                               + (static_cast<std::size_t>(part.firstLayer + layer) * request.tokens.size()
                                  + group.first)
                                   * hidden);
        }
        if (p + 1 < m_model.parts.size())
            handOn(p, step);
    }
    if (request.draftInput) {
        float *to = result.draftInput.data() + group.first * hidden;
        readHidden(m_model.parts.size() - 1, step, to);
        normaliseForDraft(to, step.tokens, to);
    }
    if (outputs)
        readOutputs(request, group, step, result);
}

void CudaExecutor::normaliseForDraft(const float *x, std::int64_t tokens, float *to) const
{
    const std::int64_t hidden = config().hiddenSize;
    for (std::int64_t t = 0; t < tokens; ++t)
        kernels::rmsNorm({.x = x + t * hidden,
                          .weight = m_weights.finalNorm.data(),
                          .y = to + t * hidden,
                          .n = hidden,
                          .epsilon = static_cast<float>(config().rmsNormEps)});
}

/// Logits or choice, and routing, of the group's tokens that they are asked for, at the step's one
/// synchronisation.
void CudaExecutor::readOutputs(const ForwardRequest &request, const Group &group, const DecodeStep &step,
                               ForwardResult &result)
{
    const auto tokens = static_cast<std::size_t>(step.tokens);
    const auto vocabulary = static_cast<std::size_t>(config().vocabSize);
    const std::size_t from = std::max(group.firstOutput, group.first) - group.first;
    const std::size_t count = tokens - from;
    const std::size_t at = group.first + from - group.firstOutput;
    const auto k = static_cast<std::size_t>(config().moe ? config().moe->numExpertsPerTok : 0);
    const auto &last = m_model.parts.back();
    for (std::size_t p = 0; p < m_model.parts.size() && !result.routing.empty(); ++p) {
        const Part &part = m_model.parts[p];
        part.device->makeCurrent();
        if (request.choice && &part == &last)
            break; // its kernels have written them
        kernels::cuda::copyToHost(m_routing.as<ExpertChoice>()
                                      + static_cast<std::size_t>(part.firstMoeLayer) * tokens * k,
                                  m_decode[p]->buffers().choices,
                                  part.moeLayers() * tokens * k * sizeof(ExpertChoice), part.stream);
        if (&part != &last)
            part.stream.synchronize();
    }
    if (request.choice)
        readChoice(result);
    else
        readLogits(result.logits.data() + at * vocabulary, count);
    const std::size_t moeLayers = result.routing.empty() ? 0 : config().moeLayers().size();
    for (std::size_t t = 0; t < count; ++t)
        for (std::size_t l = 0; l < moeLayers; ++l)
            std::copy_n(m_routing.as<ExpertChoice>() + (l * tokens + from + t) * k, k,
                        result.routing.data() + ((at + t) * moeLayers + l) * k);
}

/// Waits for the step. Where the candidates cannot tell the token, reads all logits.
void CudaExecutor::readChoice(ForwardResult &result)
{
    m_model.parts.back().stream.synchronize();
    const kernels::cuda::ChooseResult &chosen = m_decode.back()->choice();
    if (chosen.drawn < 0) {
        result.logits.resize(static_cast<std::size_t>(config().vocabSize));
        return readLogits(result.logits.data(), 1);
    }
    Distribution &distribution = result.choice.distribution;
    distribution.logSumExp = chosen.logSumExp;
    distribution.restMass = chosen.restMass;
    distribution.top.resize(static_cast<std::size_t>(chosen.count));
    for (std::size_t i = 0; i < distribution.top.size(); ++i)
        distribution.top[i] = {chosen.best[i].id, chosen.best[i].logit - chosen.logSumExp};
    const Candidate &token = distribution.top[static_cast<std::size_t>(chosen.drawn)];
    result.choice.token = token.id;
    result.choice.logProb = token.logProb;
}

void CudaExecutor::forward(const ForwardRequest &request, KvCache &cache, ForwardResult &result)
{
    const std::size_t tokens = request.tokens.size();
    const std::size_t outputs = request.logits == LogitsOf::AllTokens ? tokens
        : request.logits == LogitsOf::LastToken                       ? 1
                                                                      : 0;
    const auto hidden = static_cast<std::size_t>(config().hiddenSize);
    const std::size_t perToken = config().moe
        ? config().moeLayers().size() * static_cast<std::size_t>(config().moe->numExpertsPerTok)
        : 0;
    result.logits.resize(request.choice ? 0 : outputs * static_cast<std::size_t>(config().vocabSize));
    result.choice.token = -1;
    result.routing.resize(request.routing ? outputs * perToken : 0);
    result.routerLogits.clear();
    result.hidden.resize(request.hidden ? static_cast<std::size_t>(config().numHiddenLayers) * tokens * hidden
                                        : 0);
    result.draftInput.resize(request.draftInput ? tokens * hidden : 0);
    guarded("the GPU", [&] {
        if (tokens > fewTokens && !request.hidden)
            return runChunk(request, outputs, cache, result);
        for (std::size_t first = 0; first < tokens; first += decodeMaxTokens) {
            const std::size_t count = std::min<std::size_t>(decodeMaxTokens, tokens - first);
            DecodeStep step = makeStep(m_model.rope, request.tokens.subspan(first, count), cache.length());
            if (request.choice)
                step.choose = settingsOf(*request.choice);
            runGroup(request, {first, tokens - outputs, request.hidden}, step, static_cast<Cache &>(cache),
                     result);
            cache.advance(static_cast<std::int32_t>(count));
        }
    });
}

/// Many tokens on tensor cores; the logits of the last `outputs` eight tokens at a time.
void CudaExecutor::runChunk(const ForwardRequest &request, std::size_t outputs, KvCache &cache,
                            ForwardResult &result)
{
    const std::size_t tokens = request.tokens.size();
    const auto hidden = static_cast<std::size_t>(config().hiddenSize);
    const std::size_t firstOutput = tokens - outputs;
    const std::size_t firstNeeded = request.draftInput ? 0 : std::min(firstOutput, tokens - 1);
    std::vector<ExpertChoice> routing(outputs > 0 ? result.routing.size() / outputs * (tokens - firstNeeded)
                                                  : 0);
    m_chunks.run(request.tokens, static_cast<const Cache &>(cache), static_cast<std::int32_t>(firstNeeded),
                 routing);
    std::copy(routing.end() - static_cast<std::ptrdiff_t>(result.routing.size()), routing.end(),
              result.routing.begin());
    const Part &last = m_model.parts.back();
    if (request.draftInput) {
        last.stream.synchronize();
        BATHYSCOPE_CUDA_CALL(cuMemcpyDtoH(result.draftInput.data(),
                                          reinterpret_cast<CUdeviceptr>(m_chunks.x()),
                                          tokens * hidden * sizeof(float)));
        normaliseForDraft(result.draftInput.data(), static_cast<std::int64_t>(tokens),
                          result.draftInput.data());
    }
    Decode &decode = *m_decode.back();
    for (std::size_t first = firstOutput; first < tokens; first += decodeMaxTokens) {
        const std::size_t count = std::min<std::size_t>(decodeMaxTokens, tokens - first);
        DecodeStep step;
        step.tokens = static_cast<std::int32_t>(count);
        kernels::cuda::copyOnDevice(decode.buffers().x, m_chunks.x() + first * hidden,
                                    count * hidden * sizeof(float), last.stream);
        if (request.choice) {
            step.choose = settingsOf(*request.choice);
            decode.run(step, {.logits = true, .choose = true}, static_cast<const Cache &>(cache));
            readChoice(result);
            break;
        }
        decode.run(step, {.logits = true}, static_cast<const Cache &>(cache));
        readLogits(result.logits.data()
                       + (first - firstOutput) * static_cast<std::size_t>(config().vocabSize),
                   count);
    }
    if (outputs == 0)
        last.stream.synchronize();
    cache.advance(static_cast<std::int32_t>(tokens));
}

/// Of the last card, at the step's one synchronisation.
void CudaExecutor::readLogits(float *to, std::size_t tokens)
{
    const std::size_t values = tokens * static_cast<std::size_t>(config().vocabSize);
    const Part &last = m_model.parts.back();
    kernels::cuda::copyToHost(m_logits.as(), m_decode.back()->buffers().logits, values * sizeof(float),
                              last.stream);
    last.stream.synchronize();
    std::copy_n(m_logits.as<float>(), values, to);
}

void CudaExecutor::draft(std::span<const TokenId> tokens, std::span<const float> hidden,
                         std::int32_t position, KvCache &cache, std::vector<float> &logits)
{
    if (!m_weights.mtp)
        throw Error("this model has no multi-token prediction layer");
    const MtpWeights &w = *m_weights.mtp;
    const std::int64_t width = config().hiddenSize;
    const auto vocabulary = static_cast<std::size_t>(config().vocabSize);
    const auto epsilon = static_cast<float>(config().rmsNormEps);
    logits.resize(tokens.size() * vocabulary);
    const Part &part = m_model.parts.back();
    Decode &decode = *m_decode.back();
    std::vector<float> joined(static_cast<std::size_t>(decodeMaxTokens * 2 * width));
    std::vector<float> embedding(static_cast<std::size_t>(width));
    guarded("the GPU", [&] {
        part.device->makeCurrent();
        for (std::size_t first = 0; first < tokens.size(); first += decodeMaxTokens) {
            const std::size_t count = std::min<std::size_t>(decodeMaxTokens, tokens.size() - first);
            for (std::size_t t = 0; t < count; ++t) {
                float *row = joined.data() + 2 * static_cast<std::int64_t>(t) * width;
                kernels::widenRow(m_weights.embedding, tokens[first + t], embedding.data());
                kernels::rmsNorm({embedding.data(), w.embeddingNorm.data(), row, width, epsilon});
                kernels::rmsNorm({hidden.data() + static_cast<std::int64_t>(first + t) * width,
                                  w.hiddenNorm.data(), row + width, width, epsilon});
            }
            m_joined.upload(joined.data(), count * 2 * static_cast<std::size_t>(width) * sizeof(float));
            const DecodeStep step = makeStep(m_model.rope, tokens.subspan(first, count),
                                             position + static_cast<std::int32_t>(first));
            decode.multiply(part.draft->projection, m_joined.as<float>(), decode.buffers().x, step.tokens);
            decode.runDraft(step, static_cast<Cache &>(cache));
            readLogits(logits.data() + first * vocabulary, count);
        }
    });
}

} // namespace

} // namespace cuda

std::unique_ptr<Executor> createCudaExecutor(const ModelConfig &config,
                                             std::shared_ptr<const TensorSource> source,
                                             std::span<const CudaShare> shares, const CudaOptions &options)
{
    return cuda::guarded("loading to the GPU", [&] {
        return std::make_unique<cuda::CudaExecutor>(config, std::move(source), shares, options);
    });
}

std::unique_ptr<Executor> createCudaExecutor(const ModelConfig &config,
                                             std::shared_ptr<const TensorSource> source,
                                             const MemoryPlan &plan, CudaOptions options)
{
    constexpr std::string_view prefix = "cuda:";
    options.hostExpertsFrom = plan.hostExpertsFrom.value_or(options.hostExpertsFrom);
    std::vector<CudaShare> shares;
    for (const DeviceShare &share : plan.shares)
        shares.push_back({std::stoi(share.device.id.substr(prefix.size())), share.layers});
    return createCudaExecutor(config, std::move(source), shares, options);
}

} // namespace bathyscope

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Prefill on the first card with random weights, without a checkpoint: the time of whole chunks, without the
// output head.
#include "engine/checkpoint/random_weights.h"
#include "engine/executor/cuda_prefill.h"
#include "kernels/cuda/prefill_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

namespace bathyscope::cuda {
namespace {

using kernels::DType;
using kernels::cuda::Event;

/// Layers whose weights are random; all dense layers share theirs, and so do all others.
class RandomModel {
public:
    RandomModel(const std::string &shape, DType weights)
        : model{shapeConfig(shape), RopeTable(RopeConfig(), 64), 0, {}}
        , m_weights(weights)
    {
        const ModelConfig &c = model.config;
        const MlaConfig &m = c.mla();
        model.rope = RopeTable(c.rope, m.qkRopeHeadDim);
        model.softmaxScale = c.softmaxScale();
        auto device = std::make_unique<kernels::cuda::Device>(0);
        device->makeCurrent();
        Part &part = model.parts.emplace_back();
        part.device = std::move(device);
        part.info = kernels::cuda::listDevices(nullptr).at(0);
        std::vector<float> ones(32768, 1.0F);
        m_ones = floats(ones);
        std::vector<float> frequencies(static_cast<std::size_t>(m.qkRopeHeadDim / 2), 0.01F);
        part.inverseFrequencies = floats(frequencies);
        part.embedding = matrixOf(DType::BF16, c.vocabSize, c.hiddenSize);
        DeviceLayer dense = attention();
        dense.gate = matrix(c.intermediateSize, c.hiddenSize);
        dense.up = matrix(c.intermediateSize, c.hiddenSize);
        dense.down = matrix(c.hiddenSize, c.intermediateSize);
        DeviceLayer moe = attention();
        addExperts(moe);
        for (const bool isMoe : c.layerIsMoe)
            part.layers.push_back(isMoe ? moe : dense);
    }

    Model model;

private:
    Part &part() { return model.parts[0]; }

    const float *floats(const std::vector<float> &values)
    {
        part().memory.emplace_back(values.size() * sizeof(float));
        part().memory.back().upload(values.data(), values.size() * sizeof(float));
        return part().memory.back().as<float>();
    }

    DeviceMatrix matrix(std::int32_t rows, std::int32_t columns, std::int32_t count = 1)
    {
        return matrixOf(m_weights, rows, columns, count);
    }

    DeviceMatrix matrixOf(DType dtype, std::int32_t rows, std::int32_t columns, std::int32_t count = 1)
    {
        const std::int32_t blocks = (columns + 127) / 128;
        const std::size_t size = static_cast<std::size_t>(count) * static_cast<std::size_t>(rows)
            * kernels::rowBytes(dtype, columns);
        std::vector<std::uint32_t> words(std::min<std::size_t>(size / 4, std::size_t(1) << 22U));
        for (std::uint32_t &word : words) // e4m3 of exponents 2^-3 … 2^0, or bf16 below 1
            word = dtype == DType::F8E4M3 ? (m_random() & 0x9F9F9F9FU) | 0x20202020U
                                          : (m_random() & 0x803F803FU) | 0x3C803C80U;
        part().memory.emplace_back(size);
        const DeviceBuffer &data = part().memory.back();
        for (std::size_t at = 0; at < size; at += words.size() * 4)
            data.upload(words.data(), std::min(words.size() * 4, size - at), at);
        DeviceMatrix result{data.as(), nullptr, rows, columns, blocks, dtype};
        const std::vector<float> scales(static_cast<std::size_t>(count * ((rows + 127) / 128) * blocks),
                                        1.0F / (0.75F * std::sqrt(float(columns))));
        result.scales = floats(scales);
        return result;
    }

    DeviceLayer attention()
    {
        const ModelConfig &c = model.config;
        const MlaConfig &m = c.mla();
        DeviceLayer layer;
        layer.inputNorm = layer.qANorm = layer.kvANorm = layer.postAttentionNorm = m_ones;
        const std::int32_t queries = c.numAttentionHeads * m.qkHeadDim();
        if (m.qLoraRank > 0)
            layer.qA = matrix(m.qLoraRank, c.hiddenSize);
        layer.qB = matrix(queries, m.qLoraRank > 0 ? m.qLoraRank : c.hiddenSize);
        layer.kvA = matrix(m.cacheWidth(), c.hiddenSize);
        layer.kvB = matrix(c.numAttentionHeads * (m.qkNopeHeadDim + m.vHeadDim), m.kvLoraRank);
        layer.o = matrix(c.hiddenSize, c.numAttentionHeads * m.vHeadDim);
        return layer;
    }

    void addExperts(DeviceLayer &layer)
    {
        const ModelConfig &c = model.config;
        const std::int32_t width = c.moe->moeIntermediateSize;
        const std::int32_t shared = width * c.moe->nSharedExperts;
        layer.gate = matrix(shared, c.hiddenSize);
        layer.up = matrix(shared, c.hiddenSize);
        layer.down = matrix(c.hiddenSize, shared);
        layer.router = matrixOf(DType::BF16, c.moe->nRoutedExperts, c.hiddenSize);
        const auto experts = [&](std::int32_t rows, std::int32_t columns) {
            const DeviceMatrix first = matrix(rows, columns, c.moe->nRoutedExperts);
            return kernels::cuda::DeviceExperts{
                first, rows * static_cast<std::int64_t>(kernels::rowBytes(m_weights, columns)),
                std::int64_t((rows + 127) / 128) * first.scaleColumns};
        };
        layer.expertGate = experts(width, c.hiddenSize);
        layer.expertUp = experts(width, c.hiddenSize);
        layer.expertDown = experts(c.hiddenSize, width);
    }

    DType m_weights;
    std::mt19937 m_random{5};
    const float *m_ones = nullptr;
};

/// Median seconds of `repeats` runs, after one that does not count.
double median(const kernels::cuda::Stream &stream, int repeats, const std::function<void()> &work)
{
    work();
    std::vector<double> seconds;
    for (int i = 0; i < repeats; ++i) {
        const Event start;
        const Event end;
        start.record(stream.get());
        work();
        end.record(stream.get());
        end.synchronize();
        seconds.push_back(end.secondsSince(start));
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds[seconds.size() / 2];
}

void measureChunks(const std::string &shape, DType weights, bool quantise)
{
    const RandomModel random(shape, weights);
    const ModelConfig &c = random.model.config;
    const Part &part = random.model.parts[0];
    const auto prefill = createPrefill(random.model, 0, {quantise});
    if (weights == DType::BF16)
        fmt::print("products in bf16: {}\n",
                   prefill->withoutLibrary().empty() ? "cuBLASLt" : prefill->withoutLibrary());
    const std::int32_t capacity = 16384;
    std::vector<DeviceBuffer> memory;
    memory.emplace_back(std::size_t(capacity) * static_cast<std::size_t>(c.cacheWidth()) * 2
                        * part.layers.size());
    const Cache cache(capacity, c.cacheWidth(), std::move(memory));
    std::vector<std::int32_t> ids;
    std::mt19937 numbers(3);
    for (std::int32_t i = 0; i < prefill->maxTokens(); ++i)
        ids.push_back(static_cast<std::int32_t>(numbers() % static_cast<unsigned>(c.vocabSize)));
    const DeviceBuffer idData(ids.size() * 4);
    idData.upload(ids.data(), idData.size());
    const DeviceBuffer x(ids.size() * static_cast<std::size_t>(c.hiddenSize) * 4);
    for (const std::int32_t wanted : {128, 512, 1024, 4096}) {
        for (const std::int32_t first : {0, 8192}) {
            const std::int32_t tokens = std::min(wanted, prefill->maxTokens());
            const double seconds = median(part.stream, 5, [&] {
                prefill->run({.ids = idData.as<std::int32_t>(),
                              .x = x.as<float>(),
                              .tokens = tokens,
                              .firstPosition = first,
                              .firstNeeded = tokens - 1},
                             cache);
            });
            fmt::print("{} {}, {} activations, {} tokens from position {}: {:.2f} ms, {:.0f} tokens/s\n",
                       shape, kernels::blockOf(weights).name, quantise ? "e4m3" : "bf16", tokens, first,
                       seconds * 1e3, tokens / seconds);
        }
    }
}

} // namespace
} // namespace bathyscope::cuda

int main()
{
    std::string why;
    if (bathyscope::kernels::cuda::listDevices(&why).empty()) {
        fmt::print("not measured: {}\n", why);
        return 0;
    }
    fmt::print("{}; limit: 4096 tokens of deepseek-v2-lite from position 0 at 40000 tokens/s, 512 in 15 ms\n",
               bathyscope::kernels::cuda::listDevices(nullptr)[0].name);
    using bathyscope::kernels::DType;
    bathyscope::cuda::measureChunks("deepseek-v2-lite", DType::F8E4M3, true);
    bathyscope::cuda::measureChunks("deepseek-v2-lite", DType::F8E4M3, false);
    bathyscope::cuda::measureChunks("deepseek-v2-lite", DType::BF16, false);
}

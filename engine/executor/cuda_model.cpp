// SPDX-License-Identifier: GPL-3.0-or-later
//
// Loading: what each card holds.
#include "engine/executor/cuda_model.h"
#include "engine/error.h"
#include "engine/executor/cuda_weights.h"
#include "engine/executor/gpu_shapes.h"
#include "engine/executor/quantised_layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

namespace bathyscope::cuda {

using namespace kernels::cuda;

namespace {

kernels::cuda::DeviceInfo infoOf(int ordinal)
{
    std::string why;
    const std::vector<kernels::cuda::DeviceInfo> devices = kernels::cuda::listDevices(&why);
    if (ordinal < 0 || static_cast<std::size_t>(ordinal) >= devices.size())
        throw Error(devices.empty() ? why
                                    : fmt::format("cuda:{}: this machine has {} card{}", ordinal,
                                                  devices.size(), devices.size() == 1 ? "" : "s"));
    return devices[static_cast<std::size_t>(ordinal)];
}

/// Layers onto a card, as stored or quantised on the way.
class LayerLoader {
public:
    explicit LayerLoader(bool quantise)
    {
        if (quantise)
            m_team.emplace(std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
    }

    /// `experts`: the routed ones come with it.
    void load(LayerWeights stored, bool experts, DeviceLayer &layer, std::vector<DeviceBuffer> &memory)
    {
        if (stored.moe && !experts)
            stored.moe->experts.clear();
        if (m_team)
            uploadLayer(QuantisedLayer(stored, *m_team).weights(), layer, memory);
        else
            uploadLayer(stored, layer, memory);
    }

private:
    std::optional<ThreadTeam> m_team; ///< quantises; none: as stored
};

void loadEnds(const Model &model, const ModelWeights &weights, std::size_t index, std::size_t count,
              std::int32_t hostFrom, LayerLoader &loader, Part &part)
{
    Upload upload;
    const bool last = index + 1 == count;
    upload.add(model.rope.inverseFrequencies(), part.inverseFrequencies);
    if (index == 0) {
        expectUsable(weights.embedding, "embedding");
        upload.add(weights.embedding, part.embedding);
    }
    if (last) {
        expectUsable(weights.head, "lm_head");
        upload.add(weights.finalNorm, part.finalNorm);
        if (index != 0 || weights.head.data != weights.embedding.data)
            upload.add(weights.head, part.head);
    }
    if (last && weights.mtp) {
        const MtpWeights &mtp = *weights.mtp;
        part.draft.emplace();
        expectUsable(mtp.projection, "eh_proj");
        upload.add(mtp.projection, part.draft->projection);
        upload.add(mtp.finalNorm, part.draft->finalNorm);
        if (mtp.head.data != weights.head.data)
            upload.add(mtp.head, part.draft->head);
    }
    part.memory.push_back(upload.commit());
    if (last && part.head.rows == 0)
        part.head = part.embedding;
    if (part.draft) {
        loader.load(weights.mtp->layer, model.config.numHiddenLayers < hostFrom, part.draft->layer,
                    part.memory);
        if (part.draft->head.rows == 0)
            part.draft->head = part.head;
    }
}

} // namespace

Model::Model(const ModelConfig &modelConfig, const ModelWeights &weights, std::span<const CudaShare> shares,
             const CudaOptions &options)
    : config(modelConfig)
    , rope(modelConfig.rope, modelConfig.ropeDimensions())
    , softmaxScale(modelConfig.softmaxScale())
{
    if (const std::string obstacle = gpuObstacle(config); !obstacle.empty())
        throw Error(obstacle + ": use the CPU");
    parts.reserve(shares.size());
    std::int32_t layer = 0;
    std::int32_t moeLayer = 0;
    LayerLoader loader(options.quantise);
    for (std::size_t i = 0; i < shares.size(); ++i) {
        auto device = std::make_unique<Device>(shares[i].ordinal);
        device->makeCurrent();
        Part &part = parts.emplace_back();
        part.device = std::move(device);
        part.info = infoOf(shares[i].ordinal);
        part.firstLayer = layer;
        part.firstMoeLayer = moeLayer;
        part.layers.resize(static_cast<std::size_t>(shares[i].layers));
        for (DeviceLayer &uploaded : part.layers) {
            const LayerWeights &stored = weights.layers[static_cast<std::size_t>(layer)];
            loader.load(stored, layer < options.hostExpertsFrom, uploaded, part.memory);
            ++layer;
            moeLayer += stored.moe ? 1 : 0;
        }
        loadEnds(*this, weights, i, shares.size(), options.hostExpertsFrom, loader, part);
    }
}

std::unique_ptr<Cache> createCache(const Model &model, std::int32_t capacity)
{
    const std::int32_t width = model.config.cacheWidth();
    std::vector<DeviceBuffer> buffers;
    for (const Part &part : model.parts) {
        part.device->makeCurrent();
        const std::size_t layers = part.layers.size() + (part.draft ? 1 : 0);
        buffers.emplace_back(layers * static_cast<std::size_t>(capacity) * static_cast<std::size_t>(width)
                             * sizeof(std::uint16_t));
    }
    return std::make_unique<Cache>(capacity, width, std::move(buffers));
}

} // namespace bathyscope::cuda

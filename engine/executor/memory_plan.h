// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where a model's weights, cache and workspace will lie, decided before anything is loaded. Layers are split
// over as few GPUs as it takes, by their free memory; the routed experts of the last layers may stay on the
// host where they have no room for them. Pure arithmetic: it asks no device.
#pragma once

#include "engine/error.h"
#include "engine/models/model_weights.h"
#include "engine/records.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bathyscope {

/// What a model takes of a device, in bytes.
struct ModelMemory {
    struct Weights {
        std::int64_t stored = 0;
        std::int64_t quantised = 0; ///< when what can be quantised is: F32, F16 and BF16 to FP8 blocks
    };
    struct Layer {
        Weights fixed; ///< all but the routed experts
        Weights expert; ///< one routed expert
        std::int32_t experts = 0; ///< routed experts; 0: a dense layer
    };

    Weights embedding; ///< on the first device
    Weights head; ///< on the last device
    bool tiedHead = false; ///< the head is the embedding: stored once where both are on one device
    std::vector<Layer> layers;
    std::optional<Layer> draft; ///< the multi-token prediction layer, on the last device
    std::int64_t cacheWidth = 0; ///< values that a token and layer take in the cache
    std::int32_t contextLength = 0; ///< tokens; the most that the model allows
    std::int64_t workspace = 0; ///< of each GPU: activations of a chunk, logits, the driver's own
    std::string gpuObstacle; ///< why no GPU can run the model; empty: they can

    /// Weights of the model, everything together.
    [[nodiscard]] std::int64_t weightBytes(bool quantised) const;
};

/// Values of the cache are bf16 on a GPU and float32 on the CPU.
inline constexpr std::int64_t gpuCacheValueBytes = 2;
inline constexpr std::int64_t cpuCacheValueBytes = 4;

/// Tokens of a prefill chunk on a GPU.
inline constexpr std::int32_t gpuChunk = 2048;

/// The shortest context that is chosen where none was asked for, unless the model's own is shorter.
inline constexpr std::int32_t leastChosenContext = 8192;

/// Reads types and sizes off the bound weights. Quantised are the projections, not the router, the embedding
/// and the head, whose rounding would show (DeepSeek-V3, section 3.3.1).
ModelMemory measureMemory(const ModelConfig &config, const ModelWeights &weights);

/// The plan for the options; one that cannot be has a refusal, and what would fit instead. Throws Error for a
/// device that is not in the list.
MemoryPlan planMemory(const ModelMemory &model, const DeviceList &devices,
                      const LocalBackendOptions &options);

/// The devices as they are once a model has made way.
DeviceList withoutModel(DeviceList devices, const MemoryPlan &plan);

/// A plan's refusal and its advice, as one text.
class DoesNotFit : public Error {
public:
    DoesNotFit(const MemoryPlan &plan, std::shared_ptr<const ModelMemory> needs);

    /// What to plan with for other options.
    [[nodiscard]] const std::shared_ptr<const ModelMemory> &needs() const { return m_needs; }

private:
    std::shared_ptr<const ModelMemory> m_needs;
};

} // namespace bathyscope

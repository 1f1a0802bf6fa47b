// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parameters of the kernels that take a chunk of tokens through a layer, shared by host and device. All
// pointers are device pointers; all matrices are row-major. Activations are bf16 with rows that begin at
// multiples of 16 bytes, or e4m3 with one float32 scale for every 128 columns of a row (1×128).
#pragma once

#include <cstdint>

namespace bathyscope::kernels::cuda {

/// Edge of a product's output tile. A tile never crosses from one expert to the next.
constexpr std::int32_t gemmTile = 128;

/// What a product does with its sums.
enum class Epilogue : std::uint8_t {
    Bf16, ///< c = sums, rounded
    F32, ///< c = sums
    AddF32, ///< c += sums: onto the residual stream
    Gated ///< c = silu(gate) * up: bf16, or e4m3 with cScales where a is e4m3
};

/// One stored matrix [n, k]; its shape stands beside it.
struct WeightPointers {
    const void *data = nullptr;
    const float *scales = nullptr; ///< F8E4M3: [ceil(n/128), ceil(k/128)]
};

/// c[m, n] = a[m, k] · W[n, k]ᵀ, for one matrix or for groups of rows with a matrix each (experts).
struct GemmParams {
    const void *a = nullptr; ///< [rows, k] bf16, or e4m3 with aScales
    const float *aScales = nullptr; ///< [ceil(k/128), aScaleStride]
    const std::int32_t *gather = nullptr; ///< row of a for each row of c; none: the same row
    const std::int32_t *groupRows = nullptr; ///< [groups + 1]: first row of c of each group
    const std::int32_t *groupTiles =
        nullptr; ///< [groups + 1]: first tile of rows of each group, of all groups
    void *c = nullptr; ///< [m, n]
    float *cScales = nullptr; ///< [ceil(n/128), cScaleStride]
    WeightPointers weights; ///< of group 0
    WeightPointers up; ///< Epilogue::Gated: second matrix of the same shape
    std::int64_t groupBytes = 0; ///< from a group's weights to the next one's, both of gate and of up
    std::int64_t groupScales = 0; ///< elements, likewise
    std::int64_t aStride = 0; ///< elements
    std::int64_t cStride = 0; ///< elements
    std::int32_t aScaleStride = 0; ///< elements
    std::int32_t cScaleStride = 0; ///< elements
    std::int32_t groups = 0; ///< 0: one matrix
    std::int32_t m = 0; ///< rows, without groups
    std::int32_t n = 0;
    std::int32_t k = 0;
    std::int32_t scaleColumns = 0; ///< of the weights' scales
    std::int32_t firstRow = 0; ///< of the whole matrix that row 0 of `weights` is; selects the scales
};

/// How the copy engine sees a tensor: a CUtensorMap, without the driver's header.
struct alignas(64) TensorMap {
    std::uint64_t opaque[16];
};

/// A product of e4m3 activations on Hopper. `gemm.gather` is not looked at: rows are copied in order.
struct Fp8GemmParams {
    TensorMap a; ///< [rows, k]
    TensorMap weights; ///< [groups, n, k]
    TensorMap up; ///< [groups, n, k], Epilogue::Gated
    GemmParams gemm;
};

/// Copies quantised rows into the order of the experts.
struct GatherRowsParams {
    const std::uint8_t *from = nullptr; ///< [.., n]
    const float *fromScales = nullptr; ///< [ceil(n/128), fromScaleStride]
    const std::int32_t *rows = nullptr; ///< which row of `from` each row is
    std::uint8_t *to = nullptr; ///< [rows, n]
    float *toScales = nullptr; ///< [ceil(n/128), toScaleStride]
    std::int32_t n = 0; ///< a multiple of 16
    std::int32_t fromScaleStride = 0;
    std::int32_t toScaleStride = 0;
};

/// Causal attention of a chunk over keys and values, for a range of heads. A key is a part of each head, and
/// behind it a rotated part for all heads, which may be empty.
struct PrefillAttentionParams {
    const void *queries =
        nullptr; ///< bf16 [tokens, queryStride]: this range's heads, second part not rotated
    const void *keys = nullptr; ///< bf16 [context, keyStride]: first parts, headStride from head to head
    const void *values = nullptr; ///< bf16 [context, keyStride], likewise
    const void *rotated = nullptr; ///< bf16 [context, rotatedStride]: second part, for all heads
    const float *cosines = nullptr; ///< [tokens, rope / 2]
    const float *sines = nullptr; ///< [tokens, rope / 2]
    void *out = nullptr; ///< bf16 [tokens, outStride]
    std::int64_t queryStride = 0; ///< elements
    std::int64_t keyStride = 0; ///< elements
    std::int64_t rotatedStride = 0; ///< elements
    std::int64_t outStride = 0; ///< elements
    std::int32_t headStride = 0; ///< elements, of keys and values
    std::int32_t sharing = 1; ///< heads that have keys and values in common
    std::int32_t heads = 0;
    std::int32_t tokens = 0;
    std::int32_t firstPosition = 0; ///< of query 0
    std::int32_t nope = 0; ///< these three: multiples of 8, nope + rope <= 192, value <= 128
    std::int32_t rope = 0;
    std::int32_t value = 0;
    float scale = 0; ///< of the softmax
    std::int32_t halves = 0; ///< 1: pairs are (i, i + rope / 2), 0: (2i, 2i + 1)
};

/// Angles of rotary position embedding, as RopeTable makes them.
struct AnglesParams {
    const float *inverseFrequencies = nullptr; ///< [half]
    float *cosines = nullptr; ///< [tokens, half]
    float *sines = nullptr; ///< [tokens, half]
    std::int32_t firstPosition = 0;
    std::int32_t half = 0;
    float factor = 1; ///< YaRN's, of both
};

/// x[t] = row ids[t] of the embedding, widened.
struct EmbedParams {
    const std::int32_t *ids = nullptr; ///< [tokens]
    float *x = nullptr; ///< [tokens, hidden]
    WeightPointers embedding;
    std::int32_t hidden = 0;
    std::int32_t scaleColumns = 0;
};

/// Normalised rows and the factor of each. Outputs that are null are left out.
struct NormRowsParams {
    const float *x = nullptr; ///< [rows, n]
    const float *weight = nullptr; ///< [n]
    void *bf16 = nullptr; ///< [rows, n]
    std::uint8_t *e4m3 = nullptr; ///< [rows, n]
    float *scales = nullptr; ///< [ceil(n/128), scaleStride]
    float *factors = nullptr; ///< [rows]: 1 / sqrt(mean(x²) + epsilon)
    std::int32_t n = 0;
    std::int32_t scaleStride = 0;
    float epsilon = 0;
};

/// e4m3 and scales of bf16 rows, 1×128 (DeepSeek-V3, section 3.3.2).
struct QuantiseRowsParams {
    const void *bf16 = nullptr; ///< [rows, stride]
    std::uint8_t *e4m3 = nullptr; ///< [rows, n]
    float *scales = nullptr; ///< [ceil(n/128), scaleStride]
    std::int64_t stride = 0;
    std::int32_t n = 0;
    std::int32_t scaleStride = 0;
};

/// Normalised latents and rotated keys, appended to the cache.
struct AppendCacheParams {
    const float *kv = nullptr; ///< [tokens, latent + rope]
    const float *weight = nullptr; ///< [latent]
    const float *cosines = nullptr; ///< [tokens, rope / 2]
    const float *sines = nullptr; ///< [tokens, rope / 2]
    void *cache = nullptr; ///< half [tokens, latent + rope]: rows of the chunk
    std::int32_t latent = 0;
    std::int32_t rope = 0;
    float epsilon = 0;
    std::int32_t halves = 0;
};

/// Rows of the cache as products take them.
struct WidenCacheParams {
    const void *cache = nullptr; ///< half [values]
    void *bf16 = nullptr; ///< [values]
    std::int64_t values = 0; ///< even
};

/// Router logits in float32 precision: logits[t] = W · (x[t] * factors[t] * weight).
struct RouterLogitsParams {
    const float *x = nullptr; ///< [tokens, hidden]
    const float *factors = nullptr; ///< [tokens]
    const float *norm = nullptr; ///< [hidden]
    const void *weights = nullptr; ///< [experts, hidden]
    float *logits = nullptr; ///< [tokens, experts]
    std::int32_t tokens = 0;
    std::int32_t hidden = 0; ///< a multiple of 16
    std::int32_t experts = 0;
};

/// One routed expert of a token, laid out as ExpertChoice of the engine's records.
struct RoutedExpert {
    std::uint16_t expert;
    std::uint16_t unused;
    float weight;
};

/// The choice of experts (DeepSeek-V2, section 2.2; DeepSeek-V3, section 2.1.2).
struct ChooseExpertsParams {
    const float *logits = nullptr; ///< [tokens, experts]
    const float *bias = nullptr; ///< [experts] or none; for the choice only
    RoutedExpert *choices = nullptr; ///< [tokens, chosen], ascending experts
    std::int32_t tokens = 0;
    std::int32_t experts = 0; ///< at most 1024
    std::int32_t chosen = 0; ///< at most 32
    std::int32_t groups = 1; ///< at most 32
    std::int32_t keptGroups = 1;
    std::int32_t sigmoid = 0;
    std::int32_t sumOfTwo = 0; ///< a group's worth: the sum of its two best, not the best
    std::int32_t normalise = 0;
    float factor = 1; ///< of all weights, after normalising
};

/// Rows of the grouped products: tokens sorted by expert.
struct SortByExpertParams {
    const RoutedExpert *choices = nullptr; ///< [count]
    std::int32_t *groupRows = nullptr; ///< [experts + 1]
    std::int32_t *groupTiles = nullptr; ///< [experts + 1]
    std::int32_t *tokenOfRow = nullptr; ///< [count]
    std::int32_t *rowOfChoice = nullptr; ///< [count]
    std::int32_t count = 0; ///< tokens * chosen
    std::int32_t chosen = 0;
    std::int32_t experts = 0; ///< at most 1024
};

/// x[t] += Σ weight * out[row of the choice].
struct CombineParams {
    const void *out = nullptr; ///< bf16 [rows, hidden]
    const RoutedExpert *choices = nullptr; ///< [tokens, chosen]
    const std::int32_t *rowOfChoice = nullptr; ///< [tokens, chosen]
    float *x = nullptr; ///< [tokens, hidden]
    std::int32_t hidden = 0; ///< a multiple of 8
    std::int32_t chosen = 0;
};

} // namespace bathyscope::kernels::cuda

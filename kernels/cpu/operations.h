// SPDX-License-Identifier: GPL-3.0-or-later
//
// The CPU's arithmetic. One operation a file, SIMD through Highway, the best instruction set chosen at run
// time. All activations and sums are float32. No function allocates, throws or starts a thread: the caller
// splits the work by ranges.
#pragma once

#include "kernels/matrix.h"

#include <cstdint>

namespace bathyscope::kernels {

/// y[r] = scale * W[r]·x, or y[r] += …, for r in [rowBegin, rowEnd).
struct GemvParams {
    MatrixView weights;
    std::int64_t rowBegin = 0;
    std::int64_t rowEnd = 0;
    const float *x = nullptr; ///< [columns]
    float *y = nullptr; ///< [rows], indexed by r
    float scale = 1.0F;
    bool accumulate = false;
};
void gemv(const GemvParams &params);

/// y[c] = Σ_r x[r] W[r, c]: the transposed product, for the absorbed form of latent attention.
struct GemvTransposedParams {
    MatrixView weights;
    const float *x = nullptr; ///< [rows]
    float *y = nullptr; ///< [columns]
};
void gemvTransposed(const GemvTransposedParams &params);

/// y[m, n] = W[n]·x[m], or += …, for n in [rowBegin, rowEnd).
struct GemmParams {
    MatrixView weights;
    std::int64_t rowBegin = 0;
    std::int64_t rowEnd = 0;
    std::int64_t m = 0; ///< rows of x and y
    const float *x = nullptr; ///< [m, columns]
    std::int64_t xStride = 0; ///< floats between rows of x
    float *y = nullptr; ///< [m, rows]
    std::int64_t yStride = 0; ///< floats between rows of y
    bool accumulate = false;
};
void gemm(const GemmParams &params);

/// Rows are best split at multiples of this in gemm().
constexpr std::int64_t gemmPanel = 32;

/// out[c] = W[row, c], widened: an embedding.
void widenRow(const MatrixView &weights, std::int64_t row, float *out);

/// y = x / sqrt(mean(x²) + epsilon) * weight. In place where y == x.
struct RmsNormParams {
    const float *x = nullptr; ///< [n]
    const float *weight = nullptr; ///< [n]
    float *y = nullptr; ///< [n]
    std::int64_t n = 0;
    float epsilon = 0;
};
void rmsNorm(const RmsNormParams &params);

/// out[i] = scale * silu(gate[i]) * up[i], silu(v) = v / (1 + exp(-v)). In place where out is an input.
struct SiluMultiplyParams {
    const float *gate = nullptr; ///< [n]
    const float *up = nullptr; ///< [n]
    float *out = nullptr; ///< [n]
    std::int64_t n = 0;
    float scale = 1.0F;
};
void siluMultiply(const SiluMultiplyParams &params);

/// y[i] += scale * x[i].
void addScaled(const float *x, float scale, float *y, std::int64_t n);

/// Rotates pairs of x by angles whose cosine and sine are given [n / 2]. Adjacent pairs (2i, 2i + 1), as
/// DeepSeek's checkpoints store them, or halves (i, i + n / 2), as Llama's and Qwen's do.
enum class RopePairs : std::uint8_t { Adjacent, Halves };
void rope(float *x, const float *cosines, const float *sines, std::int64_t n, RopePairs pairs);

/// Largest value and log(Σ exp(x)): x[i] - logSumExp is the log-probability of i.
struct LogSumExp {
    float maximum = 0;
    float logSumExp = 0;
};
LogSumExp logSumExp(const float *x, std::int64_t n);

/// Multi-head latent attention of one new token in absorbed form (DeepSeek-V2, section 2.1.2): the queries
/// are already multiplied with W_UK, and keys and values are the cached latents themselves.
struct LatentAttentionParams {
    const float *queries = nullptr; ///< [heads, latent + rope]: absorbed part, then rotated part
    const float *cache = nullptr; ///< [positions, latent + rope]: normalised latent, then rotated key
    float *out = nullptr; ///< [heads, latent]: to be multiplied with W_UV
    std::int64_t heads = 0;
    std::int64_t positions = 0;
    std::int64_t latent = 0; ///< kv_lora_rank
    std::int64_t rope = 0; ///< qk_rope_head_dim
    float scale = 0; ///< of the softmax
};
void latentAttention(const LatentAttentionParams &params);

/// The same for one head and a range of new tokens in expanded form: keys and values are made from the
/// latents block by block, with an online softmax. Query i sees positions 0 … firstPosition + i.
struct ExpandedAttentionParams {
    const float *queries = nullptr; ///< [m, nope + rope], rotated
    std::int64_t queryStride = 0; ///< floats between rows of queries
    const float *cache = nullptr; ///< [firstPosition + m, latent + rope]
    MatrixView keyWeights; ///< W_UK of this head [nope, latent]
    MatrixView valueWeights; ///< W_UV of this head [value, latent]
    float *out = nullptr; ///< [m, value]
    std::int64_t outStride = 0; ///< floats between rows of out
    std::int64_t m = 0; ///< at most expandedAttentionQueries
    std::int64_t firstPosition = 0; ///< of query 0
    std::int64_t latent = 0;
    std::int64_t nope = 0;
    std::int64_t rope = 0;
    std::int64_t value = 0;
    float scale = 0;
    float *scratch = nullptr; ///< expandedAttentionScratch(params) floats
};
void expandedAttention(const ExpandedAttentionParams &params);

/// Queries that share one expansion of the keys and values before them.
constexpr std::int64_t expandedAttentionQueries = 512;
std::int64_t expandedAttentionScratch(std::int64_t nope, std::int64_t rope, std::int64_t value);

/// Grouped-query attention (arXiv 2305.13245) of one new token, for heads that share one head of keys and
/// values.
struct GroupedAttentionParams {
    const float *queries = nullptr; ///< [heads, headDim], rotated
    const float *keys = nullptr; ///< [positions, headDim], rotated
    const float *values = nullptr; ///< [positions, headDim]
    std::int64_t stride = 0; ///< floats between positions of keys and of values
    float *out = nullptr; ///< [heads, headDim]
    std::int64_t heads = 0;
    std::int64_t positions = 0;
    std::int64_t headDim = 0;
    float scale = 0; ///< of the softmax
};
void groupedAttention(const GroupedAttentionParams &params);

/// The same for one head and a range of new tokens. Query i sees positions 0 … firstPosition + i.
struct GroupedPrefillAttentionParams {
    const float *queries = nullptr; ///< [m, headDim], rotated
    std::int64_t queryStride = 0; ///< floats between rows of queries
    const float *keys = nullptr; ///< [firstPosition + m, headDim], rotated
    const float *values = nullptr; ///< [firstPosition + m, headDim]
    std::int64_t stride = 0; ///< floats between positions of keys and of values
    float *out = nullptr; ///< [m, headDim]
    std::int64_t outStride = 0; ///< floats between rows of out
    std::int64_t m = 0; ///< at most expandedAttentionQueries
    std::int64_t firstPosition = 0; ///< of query 0
    std::int64_t headDim = 0;
    float scale = 0;
    float *scratch = nullptr; ///< groupedPrefillScratch(headDim) floats
};
void groupedPrefillAttention(const GroupedPrefillAttentionParams &params);
std::int64_t groupedPrefillScratch(std::int64_t headDim);

} // namespace bathyscope::kernels

// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stages around attention: latents of query and key-value, absorbed queries, the cache's new rows, and
// the way back to the residual stream (DeepSeek-V2, section 2.1).
#pragma once

#include "kernels/cuda/decode_product.cuh"

namespace bathyscope::kernels::cuda {

/// What every stage is called with.
struct StageContext {
    const DecodeParams &params;
    const DecodeStep &step;
    BlockState &state;
    unsigned char *shared; ///< dynamic shared memory behind the state
    int sharedBytes; ///< of it, before the rings
    WeightRing *rings; ///< one a warp; attention's tiles lie over them
    int block;
    int blocks;
};

/// Columns of the latent that a block absorbs a head's query into at once.
constexpr int absorbColumns = 64;

/// Tokens [first, first + count) of rows of n floats, normalised into shared memory.
__device__ __forceinline__ void stageTokens(const StageContext &c, const SplitVectors &to, const float *x,
                                            const float *weight, int n, DType dtype, int first, int count)
{
    for (int t = 0; t < count; ++t)
        stageNormalised(c.state, to,
                        {.from = x + static_cast<std::int64_t>(first + t) * n,
                         .weight = weight,
                         .epsilon = c.params.shape.epsilon,
                         .n = n,
                         .token = t,
                         .dtype = dtype});
    __syncthreads();
}

/// y[t, rows] = W norm(x[t]), in as many passes as the shared memory asks for.
__device__ __forceinline__ void projectNormalised(const StageContext &c, const float *x, const float *weight,
                                                  const DeviceMatrix &first, float *firstOut,
                                                  const DeviceMatrix &second, float *secondOut)
{
    const int n = first.columns;
    const SplitVectors staged = splitVectors(c.shared, n);
    const int fit = tokensThatFit(n, c.sharedBytes);
    for (int begin = 0; begin < c.step.tokens; begin += fit) {
        const int count = min(fit, c.step.tokens - begin);
        stageTokens(c, staged, x, weight, n, first.dtype, begin, count);
        multiplyRows(c.state, c.rings, first, staged, count, 0, first.rows, c.block, c.blocks,
                     [&](int t, int r, float value) { firstOut[(begin + t) * first.rows + r] = value; });
        if (second.rows == 0)
            continue;
        if (meetsHalves(second.dtype) != meetsHalves(first.dtype)) {
            __syncthreads();
            stageTokens(c, staged, x, weight, n, second.dtype, begin, count);
        }
        // From the other end, so that the blocks with fewer tiles before come first.
        multiplyRows(c.state, c.rings, second, staged, count, 0, second.rows, c.blocks - 1 - c.block,
                     c.blocks,
                     [&](int t, int r, float value) { secondOut[(begin + t) * second.rows + r] = value; });
    }
}

/// Query (or its latent) and key-value latent from the residual stream.
__device__ __noinline__ void projectLatents(const StageContext &c, const DeviceLayer &w)
{
    const DecodeBuffers &b = c.params.buffers;
    const bool direct = w.qA.rows == 0;
    projectNormalised(c, b.x, w.inputNorm, direct ? w.qB : w.qA, direct ? b.query : b.queryLatent, w.kvA,
                      b.kv);
}

/// Query from its latent, where the model has one.
__device__ __noinline__ void projectQuery(const StageContext &c, const DeviceLayer &w)
{
    const DecodeBuffers &b = c.params.buffers;
    const DeviceMatrix none;
    projectNormalised(c, b.queryLatent, w.qANorm, w.qB, b.query, none, nullptr);
}

/// Element i of a vector of `rope` values, rotated by token t's angles.
__device__ __forceinline__ float rotated(const StageContext &c, const float *x, int t, int i)
{
    const int half = c.params.shape.rope / 2;
    const bool halves = c.params.shape.ropeHalves;
    const int pair = halves ? i % half : i / 2;
    const bool second = halves ? i >= half : i % 2 == 1;
    const float a = __ldcg(x + (halves ? pair : 2 * pair));
    const float b = __ldcg(x + (halves ? pair + half : 2 * pair + 1));
    const float cosine = c.step.cosines[t * half + pair];
    const float sine = c.step.sines[t * half + pair];
    return second ? b * cosine + a * sine : a * cosine - b * sine;
}

__device__ __forceinline__ __half toCached(float value)
{
    return __float2half_rn(fminf(fmaxf(value, -65504.0F), 65504.0F));
}

/// The tokens' rows of the cache: normalised latent and rotated key.
__device__ __forceinline__ void appendToCache(const StageContext &c, const DeviceLayer &w, __half *cache)
{
    const DecodeShape &s = c.params.shape;
    const int width = s.latent + s.rope;
    for (int t = 0; t < c.step.tokens; ++t) {
        const float *kv = c.params.buffers.kv + t * width;
        __half *row = cache + static_cast<std::int64_t>(c.step.firstPosition + t) * width;
        const float factor = normFactor(c.state, kv, s.latent, s.epsilon);
        for (int i = static_cast<int>(threadIdx.x); i < width; i += decodeThreads)
            row[i] = toCached(i < s.latent ? __ldcg(kv + i) * factor * w.kvANorm[i]
                                           : rotated(c, kv + s.latent, t, i - s.latent));
    }
}

/// 16 bytes of weights, widened, times `factor` added to sums.
template <DType dtype>
__device__ __forceinline__ void addWidened(float *sums, const uint4 &w, float factor)
{
    const std::uint32_t words[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        if constexpr (dtype == DType::F8E4M3) {
#pragma unroll
            for (int pair = 0; pair < 2; ++pair) {
                const std::uint32_t halves = widenPair(words[i] >> (16 * pair));
                const float2 f = __half22float2(*reinterpret_cast<const __half2 *>(&halves));
                sums[4 * i + 2 * pair] += f.x * factor;
                sums[4 * i + 2 * pair + 1] += f.y * factor;
            }
        } else if constexpr (dtype == DType::F32) {
            sums[i] += __uint_as_float(words[i]) * factor;
        } else {
            const float2 f = dtype == DType::F16
                ? __half22float2(*reinterpret_cast<const __half2 *>(&words[i]))
                : __bfloat1622float2(*reinterpret_cast<const __nv_bfloat162 *>(&words[i]));
            sums[2 * i] += f.x * factor;
            sums[2 * i + 1] += f.y * factor;
        }
    }
}

/// absorbed[c] = Σ_r query[r] W[firstRow + r, c] for absorbColumns columns from `column` on.
template <DType dtype>
__device__ __forceinline__ void absorbSlice(const StageContext &c, const DeviceMatrix &kvB, int firstRow,
                                            int column, const float *query, float *absorbed)
{
    constexpr int elements = dtype == DType::F8E4M3 ? 16 : dtype == DType::F32 ? 4 : 8;
    constexpr int threadsOfRow = absorbColumns / elements;
    const int tid = static_cast<int>(threadIdx.x);
    const int mine = column + tid % threadsOfRow * elements;
    float sums[elements] = {};
    if (mine < kvB.columns) {
        for (int r = tid / threadsOfRow; r < c.params.shape.nope; r += decodeThreads / threadsOfRow) {
            const int row = firstRow + r;
            const uint4 w =
                loadStreamed(static_cast<const std::byte *>(kvB.data)
                             + (static_cast<std::int64_t>(row) * kvB.columns + mine) * (16 / elements));
            float factor = __ldcg(query + r);
            if constexpr (dtype == DType::F8E4M3)
                factor *= __ldg(kvB.scales + row / 128 * kvB.scaleColumns + mine / 128) * e4m3Factor;
            addWidened<dtype>(sums, w, factor);
        }
    }
#pragma unroll
    for (int i = 0; i < elements; ++i)
        for (int distance = threadsOfRow; distance < warpSize32; distance *= 2)
            sums[i] += __shfl_xor_sync(0xFFFFFFFFU, sums[i], distance);
    __syncthreads();
    if (laneOf() < threadsOfRow)
#pragma unroll
        for (int i = 0; i < elements; ++i)
            c.state.products[warpOf()][laneOf() * elements + i] = sums[i];
    __syncthreads();
    if (tid < absorbColumns && column + tid < kvB.columns) {
        float sum = 0;
        for (int warp = 0; warp < decodeWarps; ++warp)
            sum += c.state.products[warp][tid];
        absorbed[column + tid] = sum;
    }
}

/// Queries that meet latents directly: multiplied with W_UK, and rotated; and the new rows of the cache.
__device__ __noinline__ void absorbQueries(const StageContext &c, const DeviceLayer &w, __half *cache)
{
    const DecodeShape &s = c.params.shape;
    const int slices = (s.latent + absorbColumns - 1) / absorbColumns;
    const int width = s.latent + s.rope;
    if (c.block == c.blocks - 1)
        appendToCache(c, w, cache);
    for (int item = c.block; item < s.heads * slices; item += c.blocks) {
        const int head = item / slices;
        const int column = item % slices * absorbColumns;
        const int firstRow = head * (s.nope + s.value);
        for (int t = 0; t < c.step.tokens; ++t) {
            const float *query =
                c.params.buffers.query + (static_cast<std::int64_t>(t) * s.heads + head) * (s.nope + s.rope);
            float *absorbed =
                c.params.buffers.absorbed + (static_cast<std::int64_t>(t) * s.heads + head) * width;
            switch (w.kvB.dtype) {
            case DType::F32:
                absorbSlice<DType::F32>(c, w.kvB, firstRow, column, query, absorbed);
                break;
            case DType::F16:
                absorbSlice<DType::F16>(c, w.kvB, firstRow, column, query, absorbed);
                break;
            case DType::BF16:
                absorbSlice<DType::BF16>(c, w.kvB, firstRow, column, query, absorbed);
                break;
            default:
                absorbSlice<DType::F8E4M3>(c, w.kvB, firstRow, column, query, absorbed);
                break;
            }
            if (column == 0 && static_cast<int>(threadIdx.x) < s.rope)
                absorbed[s.latent + threadIdx.x] =
                    rotated(c, query + s.nope, t, static_cast<int>(threadIdx.x));
        }
    }
}

/// x += W_O attended.
__device__ __noinline__ void projectOutput(const StageContext &c, const DeviceLayer &w)
{
    const DecodeBuffers &b = c.params.buffers;
    const int n = w.o.columns;
    const SplitVectors staged = splitVectors(c.shared, n);
    const int fit = tokensThatFit(n, c.sharedBytes);
    for (int begin = 0; begin < c.step.tokens; begin += fit) {
        const int count = min(fit, c.step.tokens - begin);
        for (int t = 0; t < count; ++t)
            stageVector(staged,
                        {.from = b.attended + static_cast<std::int64_t>(begin + t) * n,
                         .factor = 1.0F,
                         .n = n,
                         .token = t,
                         .at = 0,
                         .dtype = w.o.dtype});
        __syncthreads();
        multiplyRows(c.state, c.rings, w.o, staged, count, 0, w.o.rows, c.block, c.blocks,
                     [&](int t, int r, float value) {
                         float *x = b.x + static_cast<std::int64_t>(begin + t) * w.o.rows + r;
                         *x = __ldcg(x) + value;
                     });
        __syncthreads();
    }
}

} // namespace bathyscope::kernels::cuda

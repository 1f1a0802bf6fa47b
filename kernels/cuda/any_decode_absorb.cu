// SPDX-License-Identifier: GPL-3.0-or-later
//
// Before latent attention (DeepSeek-V2, section 2.1.2): queries are multiplied with W_UK, and the new tokens'
// latents are appended to the cache.
#include "kernels/cuda/decode_tiles.cuh"

namespace bathyscope::kernels::cuda {

namespace {

/// Columns of the latent that a block of decode_absorb computes for one head.
constexpr int absorbColumns = 128;

__device__ __forceinline__ __half toCached(float value)
{
    return __float2half_rn(fminf(fmaxf(value, -65504.0F), 65504.0F));
}

/// Element i of a vector of `rope` values, rotated by token t's angles.
__device__ __forceinline__ float rotated(const AttentionParams &p, const float *x, int t, int i)
{
    const int half = p.rope / 2;
    const int pair = p.ropeHalves ? i % half : i / 2;
    const bool second = p.ropeHalves ? i >= half : i % 2 == 1;
    const float a = __ldcg(x + (p.ropeHalves ? pair : 2 * pair));
    const float b = __ldcg(x + (p.ropeHalves ? pair + half : 2 * pair + 1));
    const float cosine = __ldcg(p.step->cosines + t * half + pair);
    const float sine = __ldcg(p.step->sines + t * half + pair);
    return second ? b * cosine + a * sine : a * cosine - b * sine;
}

/// A token's row of the cache: normalised latent and rotated key.
__device__ __forceinline__ void appendToCache(const AttentionParams &p, __half *row, int t)
{
    __shared__ float sums[decodeMaxWarps];
    const int width = p.latent + p.rope;
    const float *kv = p.kv + t * width;
    float squares = 0;
#pragma unroll 2
    for (int i = static_cast<int>(threadIdx.x); i < p.latent; i += decodeThreads) {
        const float value = __ldcg(kv + i);
        squares = fmaf(value, value, squares);
    }
    const float factor = rsqrtf(blockSum(sums, squares) / static_cast<float>(p.latent) + p.epsilon);
#pragma unroll 1
    for (int i = static_cast<int>(threadIdx.x); i < width; i += decodeThreads)
        row[i] = toCached(i < p.latent ? __ldcg(kv + i) * factor * __ldg(p.kvNorm + i)
                                       : rotated(p, kv + p.latent, t, i - p.latent));
}

/// absorbed[c] = Σ_r query[r] W[firstRow + r, c] for absorbColumns columns from `column` on.
template <DType dtype>
__device__ __forceinline__ void absorbSlice(const AttentionParams &p, int firstRow, int column,
                                            const float *query, float *absorbed)
{
    constexpr int elements = pieceElements<dtype>;
    constexpr int threadsOfRow = absorbColumns / elements;
    __shared__ float parts[decodeWarps][absorbColumns];
    const int tid = static_cast<int>(threadIdx.x);
    const int mine = column + tid % threadsOfRow * elements;
    float sums[elements] = {};
    if (mine < p.latent) {
#pragma unroll 4
        for (int r = tid / threadsOfRow; r < p.nope; r += decodeThreads / threadsOfRow) {
            const int row = firstRow + r;
            const auto *from = reinterpret_cast<const uint4 *>(
                static_cast<const std::byte *>(p.kvB.data)
                + (static_cast<std::int64_t>(row) * p.latent + mine) * (16 / elements));
            const uint4 w = __ldg(from);
            float factor = __ldcg(query + r);
            if constexpr (dtype == DType::F8E4M3)
                factor *= __ldg(p.kvB.scales + row / 128 * p.kvB.scaleColumns + mine / 128) * e4m3Factor;
#pragma unroll
            for (int quad = 0; quad < elements / 4; ++quad) {
                const float4 v = widenQuad<dtype>(w, quad);
                sums[4 * quad] = fmaf(v.x, factor, sums[4 * quad]);
                sums[4 * quad + 1] = fmaf(v.y, factor, sums[4 * quad + 1]);
                sums[4 * quad + 2] = fmaf(v.z, factor, sums[4 * quad + 2]);
                sums[4 * quad + 3] = fmaf(v.w, factor, sums[4 * quad + 3]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < elements; ++i)
        for (int distance = threadsOfRow; distance < 32; distance *= 2)
            sums[i] += __shfl_xor_sync(0xFFFFFFFFU, sums[i], distance);
    __syncthreads();
    if (laneOf() < threadsOfRow)
#pragma unroll
        for (int i = 0; i < elements; ++i)
            parts[warpOf()][laneOf() * elements + i] = sums[i];
    __syncthreads();
    if (tid < absorbColumns && column + tid < p.latent) {
        float sum = 0;
#pragma unroll
        for (int warp = 0; warp < decodeWarps; ++warp)
            sum += parts[warp][tid];
        absorbed[column + tid] = sum;
    }
}

/// The first blocks each append a token to the cache, the others take some columns of a head's query.
template <DType dtype>
__device__ __forceinline__ void absorb(const AttentionParams &p)
{
    prefetchShare({p.kvB.data, static_cast<std::int64_t>(p.kvB.rows) * rowBytesOf<dtype>(p.kvB.columns)},
                  static_cast<int>(blockIdx.x), static_cast<int>(gridDim.x));
    const int item = static_cast<int>(blockIdx.x) - p.tokens;
    if (item < 0) {
        const int token = static_cast<int>(blockIdx.x);
        __half *row = cacheOf(p)
            + static_cast<std::int64_t>(__ldcg(&p.step->firstPosition) + token) * (p.latent + p.rope);
        waitForKernelBefore();
        return appendToCache(p, row, token);
    }
    waitForKernelBefore();
    const int slices = (p.latent + absorbColumns - 1) / absorbColumns;
    const int head = item / slices;
    const int column = item % slices * absorbColumns;
    for (int t = 0; t < p.tokens; ++t) {
        const std::int64_t row = static_cast<std::int64_t>(t) * p.heads + head;
        const float *query = p.query + row * (p.nope + p.rope);
        float *absorbed = p.absorbed + row * (p.latent + p.rope);
        if (column == 0)
#pragma unroll 1
            for (int i = static_cast<int>(threadIdx.x); i < p.rope; i += decodeThreads)
                absorbed[p.latent + i] = rotated(p, query + p.nope, t, i);
        absorbSlice<dtype>(p, head * (p.nope + p.value), column, query, absorbed);
    }
}

} // namespace

#define BATHYSCOPE_ABSORB_KERNEL(type, dtype)                                                                \
    extern "C" __global__ void __launch_bounds__(decodeThreads)                                              \
        decode_absorb_##type(const __grid_constant__ AttentionParams p)                                      \
    {                                                                                                        \
        absorb<dtype>(p);                                                                                    \
    }
BATHYSCOPE_ABSORB_KERNEL(f32, DType::F32)
BATHYSCOPE_ABSORB_KERNEL(f16, DType::F16)
BATHYSCOPE_ABSORB_KERNEL(bf16, DType::BF16)
BATHYSCOPE_ABSORB_KERNEL(e4m3, DType::F8E4M3)

} // namespace bathyscope::kernels::cuda

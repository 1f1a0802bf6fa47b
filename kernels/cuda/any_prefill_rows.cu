// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is done to the rows of a chunk between its products: embedding, norms, quantisation, the cache's new
// rows, and the sum of the experts' outputs. A block takes one row unless said otherwise.
#include "kernels/cuda/prefill_params.h"
#include "kernels/cuda/tensor_core.cuh"

namespace bathyscope::kernels::cuda {

namespace {

constexpr int threads = 256;

/// Sum over the block, in every thread. `partial`: shared, a float for each warp.
__device__ __forceinline__ float blockSum(float value, float *partial)
{
    for (int offset = 16; offset > 0; offset /= 2)
        value += __shfl_xor_sync(0xFFFFFFFFU, value, offset);
    if (threadIdx.x % 32 == 0)
        partial[threadIdx.x / 32] = value;
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < static_cast<int>(blockDim.x) / 32; ++i)
        sum += partial[i];
    return sum;
}

/// A warp's 128 values of a row, four a lane: e4m3 and their scale. Columns from `valid` on are zeros.
__device__ __forceinline__ void quantise128(const float (&v)[4], std::uint8_t *out, float *scale, int valid)
{
    float largest = fmaxf(fmaxf(fabsf(v[0]), fabsf(v[1])), fmaxf(fabsf(v[2]), fabsf(v[3])));
    for (int offset = 16; offset > 0; offset /= 2)
        largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFU, largest, offset));
    const float unit = largest > 0 ? largest / largestE4m3 : 1.0F;
    const float inverse = 1.0F / unit;
    const int lane = threadIdx.x % 32;
    if (lane == 0)
        *scale = unit;
    const std::uint32_t low = narrowToE4m3(v[0] * inverse, v[1] * inverse);
    const std::uint32_t high = narrowToE4m3(v[2] * inverse, v[3] * inverse);
    if (lane * 4 + 4 <= valid)
        *reinterpret_cast<std::uint32_t *>(out + lane * 4) = low | high << 16U;
}

template <typename Stored>
__device__ __forceinline__ void embed(const EmbedParams &p)
{
    const std::int64_t row = p.ids[blockIdx.x];
    for (int c = threadIdx.x; c < p.hidden; c += threads) {
        const float scale =
            Stored::bytes == 1 ? p.embedding.scales[row / 128 * p.scaleColumns + c / 128] : 1.0F;
        p.x[std::int64_t(blockIdx.x) * p.hidden + c] =
            scale * Stored::widen(p.embedding.data, row * p.hidden + c);
    }
}

} // namespace

extern "C" __global__ void __launch_bounds__(threads) embed_f32(const EmbedParams p)
{
    embed<StoredF32>(p);
}
extern "C" __global__ void __launch_bounds__(threads) embed_f16(const EmbedParams p)
{
    embed<StoredF16>(p);
}
extern "C" __global__ void __launch_bounds__(threads) embed_bf16(const EmbedParams p)
{
    embed<StoredBf16>(p);
}
extern "C" __global__ void __launch_bounds__(threads) embed_e4m3(const EmbedParams p)
{
    embed<StoredE4m3>(p);
}

/// A token a block.
extern "C" __global__ void __launch_bounds__(32) fill_angles(const AnglesParams p)
{
    for (int i = threadIdx.x; i < p.half; i += 32) {
        const float position = static_cast<float>(p.firstPosition + static_cast<int>(blockIdx.x));
        const float angle = __fmul_rn(position, p.inverseFrequencies[i]);
        p.cosines[std::int64_t(blockIdx.x) * p.half + i] = cosf(angle) * p.factor;
        p.sines[std::int64_t(blockIdx.x) * p.half + i] = sinf(angle) * p.factor;
    }
}

/// n is a multiple of 4.
extern "C" __global__ void __launch_bounds__(threads) norm_rows(const NormRowsParams p)
{
    __shared__ float partial[threads / 32];
    const std::int64_t row = blockIdx.x;
    const float *x = p.x + row * p.n;
    float sum = 0;
    for (int c = threadIdx.x * 4; c < p.n; c += threads * 4) {
        const float4 v = *reinterpret_cast<const float4 *>(x + c);
        sum += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
    }
    const float factor = rsqrtf(blockSum(sum, partial) / static_cast<float>(p.n) + p.epsilon);
    if (p.factors && threadIdx.x == 0)
        p.factors[row] = factor;
    for (int begin = threadIdx.x / 32 * 128; begin < p.n; begin += threads * 4) {
        const int c = begin + threadIdx.x % 32 * 4;
        float v[4] = {};
        if (c < p.n) {
            const float4 in = *reinterpret_cast<const float4 *>(x + c);
            const float4 weight = *reinterpret_cast<const float4 *>(p.weight + c);
            v[0] = in.x * factor * weight.x;
            v[1] = in.y * factor * weight.y;
            v[2] = in.z * factor * weight.z;
            v[3] = in.w * factor * weight.w;
            if (p.bf16)
                *reinterpret_cast<uint2 *>(static_cast<Bf16 *>(p.bf16) + row * p.n + c) =
                    make_uint2(packBf16(v[0], v[1]), packBf16(v[2], v[3]));
        }
        if (p.e4m3)
            quantise128(v, p.e4m3 + row * p.n + begin,
                        p.scales + std::int64_t(begin / 128) * p.scaleStride + row, p.n - begin);
    }
}

/// A warp takes 128 columns of a row; stride and n are multiples of 4.
extern "C" __global__ void __launch_bounds__(threads) quantise_rows(const QuantiseRowsParams p)
{
    const std::int64_t row = blockIdx.x;
    for (int begin = threadIdx.x / 32 * 128; begin < p.n; begin += threads * 4) {
        const int c = begin + threadIdx.x % 32 * 4;
        float v[4] = {};
        if (c < p.n) {
            const uint2 in =
                *reinterpret_cast<const uint2 *>(static_cast<const Bf16 *>(p.bf16) + row * p.stride + c);
            v[0] = __uint_as_float(in.x << 16U);
            v[1] = __uint_as_float(in.x & 0xFFFF0000U);
            v[2] = __uint_as_float(in.y << 16U);
            v[3] = __uint_as_float(in.y & 0xFFFF0000U);
        }
        quantise128(v, p.e4m3 + row * p.n + begin, p.scales + std::int64_t(begin / 128) * p.scaleStride + row,
                    p.n - begin);
    }
}

extern "C" __global__ void __launch_bounds__(128) gather_rows(const GatherRowsParams p)
{
    const std::int64_t row = blockIdx.x;
    const std::int64_t from = p.rows[row];
    for (int c = threadIdx.x; c < p.n / 16; c += 128)
        reinterpret_cast<uint4 *>(p.to + row * p.n)[c] =
            __ldg(reinterpret_cast<const uint4 *>(p.from + from * p.n) + c);
    for (int i = threadIdx.x; i < (p.n + 127) / 128; i += 128)
        p.toScales[std::int64_t(i) * p.toScaleStride + row] =
            p.fromScales[std::int64_t(i) * p.fromScaleStride + from];
}

extern "C" __global__ void __launch_bounds__(threads) append_cache(const AppendCacheParams p)
{
    __shared__ float partial[threads / 32];
    const int width = p.latent + p.rope;
    const float *kv = p.kv + std::int64_t(blockIdx.x) * width;
    __half *row = static_cast<__half *>(p.cache) + std::int64_t(blockIdx.x) * width;
    float sum = 0;
    for (int c = threadIdx.x; c < p.latent; c += threads)
        sum += kv[c] * kv[c];
    const float factor = rsqrtf(blockSum(sum, partial) / static_cast<float>(p.latent) + p.epsilon);
    for (int c = threadIdx.x; c < p.latent; c += threads)
        row[c] = toCached(kv[c] * factor * p.weight[c]);
    const int half = p.rope / 2;
    for (int i = threadIdx.x; i < half; i += threads) {
        const int first = p.latent + (p.halves ? i : 2 * i);
        const int second = p.latent + (p.halves ? i + half : 2 * i + 1);
        const float cosine = p.cosines[std::int64_t(blockIdx.x) * half + i];
        const float sine = p.sines[std::int64_t(blockIdx.x) * half + i];
        row[first] = toCached(kv[first] * cosine - kv[second] * sine);
        row[second] = toCached(kv[first] * sine + kv[second] * cosine);
    }
}

extern "C" __global__ void __launch_bounds__(threads) widen_cache(const WidenCacheParams p)
{
    const std::int64_t pairs = p.values / 2;
    const auto *from = static_cast<const __half2 *>(p.cache);
    auto *to = static_cast<std::uint32_t *>(p.bf16);
    for (std::int64_t i = std::int64_t(blockIdx.x) * threads + threadIdx.x; i < pairs;
         i += std::int64_t(gridDim.x) * threads) {
        const float2 value = __half22float2(from[i]);
        to[i] = packBf16(value.x, value.y);
    }
}

extern "C" __global__ void __launch_bounds__(threads) combine_experts(const CombineParams p)
{
    const std::int64_t token = blockIdx.x;
    for (int c = threadIdx.x * 8; c < p.hidden; c += threads * 8) {
        float sum[8] = {};
        for (int i = 0; i < p.chosen; ++i) {
            const float weight = p.choices[token * p.chosen + i].weight;
            const std::int64_t row = p.rowOfChoice[token * p.chosen + i];
            const uint4 v =
                *reinterpret_cast<const uint4 *>(static_cast<const Bf16 *>(p.out) + row * p.hidden + c);
            const std::uint32_t pairs[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                sum[2 * j] = fmaf(weight, __uint_as_float(pairs[j] << 16U), sum[2 * j]);
                sum[2 * j + 1] = fmaf(weight, __uint_as_float(pairs[j] & 0xFFFF0000U), sum[2 * j + 1]);
            }
        }
        auto *x = reinterpret_cast<float4 *>(p.x + token * p.hidden + c);
        const float4 low = x[0];
        const float4 high = x[1];
        x[0] = {low.x + sum[0], low.y + sum[1], low.z + sum[2], low.w + sum[3]};
        x[1] = {high.x + sum[4], high.y + sum[5], high.z + sum[6], high.w + sum[7]};
    }
}

} // namespace bathyscope::kernels::cuda

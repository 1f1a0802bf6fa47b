// SPDX-License-Identifier: GPL-3.0-or-later
//
// Packed rows made wide: matrices to bf16 for the products of a chunk of tokens, and rows of the embedding.
// Four threads take a chunk.
#include "kernels/cuda/packed_blocks.cuh"
#include "kernels/cuda/packed_params.h"
#include "kernels/cuda/tensor_core.cuh"

namespace bathyscope::kernels::cuda {

namespace {

constexpr int threads = 256;

/// Calls store(column, v) for each four neighbours of a thread's part of a chunk.
template <DType dtype, typename Store>
__device__ __forceinline__ void unpackChunk(const void *row, int columns, int chunk, int lane,
                                            const Store &store)
{
    using Type = Packed<dtype>;
    constexpr int size = packedChunk(dtype);
    const auto *from = static_cast<const std::uint8_t *>(row) + chunk * packedChunkBytes<dtype>;
    const auto offset = static_cast<int>(reinterpret_cast<std::uintptr_t>(from) & 3U);
    const PackedBytes bytes{from - offset, offset};
    const typename Type::Header header(bytes);
#pragma unroll 2
    for (int g = 0; g < size / packedGroup; ++g) {
        const int column = chunk * size + g * packedGroup;
        if (column >= columns)
            break;
        const PackedGroup group = Type::group(header, bytes, g, lane);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const float scale = group.scales[Type::twoScales ? half : 0];
            const float offsetOf = group.offsets[Type::twoScales ? half : 0];
            const auto value = [&](int i) {
                const auto quant = static_cast<std::int8_t>(group.quants[half] >> (8 * i) & 0xFFU);
                return fmaf(scale, static_cast<float>(quant), offsetOf);
            };
            store(column + half * 16 + lane * 4, float4{value(0), value(1), value(2), value(3)});
        }
    }
}

} // namespace

extern "C" __global__ void __launch_bounds__(threads)
    widen_packed(const __grid_constant__ WidenPackedParams p)
{
    const int size = packedChunk(p.dtype);
    const int chunks = (p.columns + size - 1) / size;
    const int rowBytes = p.columns / packedGroup * packedBytesOfChunk(p.dtype) / (size / packedGroup);
    const std::int64_t all = static_cast<std::int64_t>(p.matrices) * p.rows * chunks * 4;
    for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x; i < all;
         i += static_cast<std::int64_t>(gridDim.x) * threads) {
        const std::int64_t row = i / 4 / chunks; // of all matrices
        const auto *from =
            static_cast<const std::uint8_t *>(p.data) + row / p.rows * p.stride + row % p.rows * rowBytes;
        auto *to = static_cast<Bf16 *>(p.bf16) + row * p.columns;
        withPackedType(p.dtype, [&]<DType dtype>() {
            unpackChunk<dtype>(
                from, p.columns, static_cast<int>(i / 4 % chunks), static_cast<int>(i % 4),
                [&](int column, const float4 &v) {
                    *reinterpret_cast<uint2 *>(to + column) = {packBf16(v.x, v.y), packBf16(v.z, v.w)};
                });
        });
    }
}

/// A block a token.
extern "C" __global__ void __launch_bounds__(threads)
    embed_packed(const __grid_constant__ EmbedPackedParams p)
{
    const DeviceMatrix &e = p.embedding;
    const int size = packedChunk(e.dtype);
    const int rowBytes = e.columns / packedGroup * packedBytesOfChunk(e.dtype) / (size / packedGroup);
    const auto *row =
        static_cast<const std::uint8_t *>(e.data) + static_cast<std::int64_t>(p.ids[blockIdx.x]) * rowBytes;
    float *to = p.x + static_cast<std::int64_t>(blockIdx.x) * e.columns;
    for (int i = static_cast<int>(threadIdx.x); i < (e.columns + size - 1) / size * 4; i += threads)
        withPackedType(e.dtype, [&]<DType dtype>() {
            unpackChunk<dtype>(row, e.columns, i / 4, i % 4, [&](int column, const float4 &v) {
                *reinterpret_cast<float4 *>(to + column) = v;
            });
        });
}

} // namespace bathyscope::kernels::cuda

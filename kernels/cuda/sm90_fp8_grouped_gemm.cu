// SPDX-License-Identifier: GPL-3.0-or-later
//
// Products of e4m3 activations (1×128 scales) with e4m3 weights (128×128 scales) on Hopper's warpgroup
// instructions. One warp sets the copy engine to work, two warpgroups multiply 64 × 256 outputs each. The
// tensor cores add in less than float32, so the sums of each 128 columns are promoted to float32 registers,
// where the scales are applied (DeepSeek-V3, section 3.3.2).
#include "kernels/cuda/gemm_tile.cuh"
#include "kernels/cuda/tensor_core.cuh"
#include "kernels/cuda/warpgroup.cuh"

namespace bathyscope::kernels::cuda {

namespace {

constexpr int weightRows = 256;
constexpr int depth = 128; ///< columns of a stage: 128 bytes, one scale
constexpr int stages = 4;
constexpr int bytesOfA = gemmTile * depth;
constexpr int bytesOfB = weightRows * depth;
constexpr int stageBytes = bytesOfA + bytesOfB;
constexpr int stagingBytes = 4096; ///< of each multiplying warp, to write whole rows of c
constexpr int threads = 384; ///< two warpgroups multiply; a thread of the third copies

template <Epilogue E>
using Fp8Tile = Tile<E, weightRows>;

/// The ring of stages: full[s] when the copies are there, empty[s] when all multiplying warps are done.
struct Ring {
    std::uint32_t data;
    std::uint32_t barriers;
    int stage = 0;
    int round = 0;

    __device__ std::uint32_t a() const { return data + stage * stageBytes; }
    __device__ std::uint32_t b() const { return a() + bytesOfA; }
    __device__ std::uint32_t full() const { return barriers + stage * 16; }
    __device__ std::uint32_t empty() const { return barriers + stage * 16 + 8; }
    __device__ void next()
    {
        if (++stage == stages) {
            stage = 0;
            round ^= 1;
        }
    }
};

/// Copies all stages of a tile: one thread.
template <Epilogue E>
__device__ __forceinline__ void copyTile(const Fp8GemmParams &p, const Fp8Tile<E> &tile, Ring &ring)
{
    constexpr int half = weightRows / 2;
    const TensorMap &second = E == Epilogue::Gated ? p.up : p.weights;
    const int secondRow = tile.weightRow(half);
    for (int k = 0; k < p.gemm.k; k += depth) {
        waitBarrier(ring.empty(), ring.round ^ 1);
        arriveAndExpect(ring.full(), stageBytes);
        copyBox(ring.a(), p.a, k, tile.firstRow, ring.full());
        copyBox(ring.b(), p.weights, k, tile.firstColumn, tile.group, ring.full());
        copyBox(ring.b() + bytesOfB / 2, second, k, secondRow, tile.group, ring.full());
        ring.next();
    }
}

/// Rows of the tile that a thread of a multiplying warpgroup has sums of: `row` and `row + 8`.
__device__ __forceinline__ int firstRowOfThread()
{
    return threadIdx.x / 128 * 64 + threadIdx.x % 128 / 32 * 16 + threadIdx.x % 32 / 4;
}

/// Where the scales of a thread's two rows of a and of the two halves of the weights stand.
struct Scales {
    const float *a[2];
    const float *b[2];
    std::int64_t stride;

    template <Epilogue E>
    __device__ Scales(const GemmParams &p, const Fp8Tile<E> &tile, int row)
        : stride(p.aScaleStride)
    {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            a[i] = p.aScales + tile.firstRow + min(row + i * 8, tile.rows - 1);
            const int weightRow = min(tile.weightRow(i * (weightRows / 2)), p.n - 1) + p.firstRow;
            b[i] = (E == Epilogue::Gated && i == 1 ? tile.up.scales : tile.weights.scales)
                + weightRow / 128 * p.scaleColumns;
        }
    }
    /// Of 128 columns: a's in x and y, the weights' in z and w.
    __device__ float4 load(int block) const
    {
        return {__ldg(a[0] + block * stride), __ldg(a[1] + block * stride), __ldg(b[0] + block),
                __ldg(b[1] + block)};
    }
};

template <Epilogue E>
__device__ __forceinline__ void multiplyTile(const GemmParams &p, const Fp8Tile<E> &tile, Ring &ring,
                                             float (&total)[2][64])
{
    const int row = firstRowOfThread();
    const Scales scales(p, tile, row);
    const std::uint32_t offset = threadIdx.x / 128 * 64 * depth;
    const int blocks = (p.k + depth - 1) / depth;
#pragma unroll
    for (int i = 0; i < 128; ++i)
        total[i / 64][i % 64] = 0;
    float4 next = scales.load(0);
    for (int block = 0; block < blocks; ++block) {
        const float4 scale = next;
        next = scales.load(min(block + 1, blocks - 1)); // a whole block ahead
        waitBarrier(ring.full(), ring.round);
        const std::uint64_t descriptorA = tileDescriptor(ring.a() + offset);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            float sums[64];
            const std::uint64_t descriptorB = tileDescriptor(ring.b() + half * (bytesOfB / 2));
            beginWgmma();
#pragma unroll
            for (int step = 0; step < depth / 32; ++step)
                wgmmaE4m3(sums, descriptorA + step * 2, descriptorB + step * 2, step);
            commitWgmma();
            waitWgmma<0>();
            holdRegisters(sums);
            if (half == 1 && threadIdx.x % 32 == 0)
                arrive(ring.empty());
            const float first = scale.x * (half == 0 ? scale.z : scale.w);
            const float second = scale.y * (half == 0 ? scale.z : scale.w);
#pragma unroll
            for (int i = 0; i < 64; ++i)
                total[half][i] = fmaf(i % 4 < 2 ? first : second, sums[i], total[half][i]);
        }
        ring.next();
    }
}

/// A warp's 16 rows of 128 columns of c, gathered in its staging memory and written as whole rows.
struct Staging {
    std::uint32_t memory;
    int lane = threadIdx.x % 32;

    __device__ std::uint32_t at(int row, int rowBytes, int chunk) const
    {
        return memory + row * rowBytes + ((chunk ^ (row & 7)) << 4);
    }

    /// `rows` of them exist, `columns` of 128; both c and its rows are 16-byte aligned.
    template <int ElementBytes>
    __device__ void write(const GemmParams &p, std::int64_t firstRow, int rows, int firstColumn) const
    {
        constexpr int rowBytes = 128 * ElementBytes;
        constexpr int chunks = rowBytes / 16;
        __syncwarp();
        auto *c = static_cast<std::uint8_t *>(p.c) + (firstRow * p.cStride + firstColumn) * ElementBytes;
        const int bytes = (p.n - firstColumn) * ElementBytes;
#pragma unroll
        for (int i = 0; i < 16 * chunks / 32; ++i) {
            const int row = i * (32 / chunks) + lane / chunks;
            const int chunk = lane % chunks;
            uint4 v;
            asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                         : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                         : "r"(at(row, rowBytes, chunk))
                         : "memory");
            if (row < rows && chunk * 16 < bytes)
                *reinterpret_cast<uint4 *>(c + row * p.cStride * ElementBytes + chunk * 16) = v;
        }
        __syncwarp();
    }
};

__device__ __forceinline__ void storeBf16(const GemmParams &p, std::int64_t firstRow, int rows,
                                          int firstColumn, const Staging &staging, const float (&total)[64])
{
#pragma unroll
    for (int j = 0; j < 16; ++j)
#pragma unroll
        for (int h = 0; h < 2; ++h)
            asm volatile("st.shared.b32 [%0], %1;" ::"r"(staging.at(staging.lane / 4 + h * 8, 256, j)
                                                         + staging.lane % 4 * 4),
                         "r"(packBf16(total[j * 4 + h * 2], total[j * 4 + h * 2 + 1]))
                         : "memory");
    staging.write<2>(p, firstRow, rows, firstColumn);
}

/// silu(gate) * up, each row's 128 columns quantised with the scale of the four lanes that share it.
__device__ __forceinline__ void storeGated(const GemmParams &p, std::int64_t firstRow, int rows,
                                           int firstColumn, const Staging &staging, const float (&gate)[64],
                                           const float (&up)[64])
{
#pragma unroll
    for (int h = 0; h < 2; ++h) {
        const int row = staging.lane / 4 + h * 8;
        float v[32];
        float largest = 0;
#pragma unroll
        for (int i = 0; i < 32; ++i) {
            const int at = i / 2 * 4 + h * 2 + i % 2;
            v[i] = silu(gate[at]) * up[at];
            largest = fmaxf(largest, fabsf(v[i]));
        }
        largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFU, largest, 1));
        largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFU, largest, 2));
        const float scale = largest > 0 ? largest / largestE4m3 : 1.0F;
        const float inverse = 1.0F / scale;
        if (row < rows && staging.lane % 4 == 0)
            p.cScales[std::int64_t(firstColumn / 128) * p.cScaleStride + firstRow + row] = scale;
#pragma unroll
        for (int j = 0; j < 16; ++j)
            asm volatile("st.shared.b16 [%0], %1;" ::"r"(staging.at(row, 128, j / 2) + j % 2 * 8
                                                         + staging.lane % 4 * 2),
                         "h"(narrowToE4m3(v[2 * j] * inverse, v[2 * j + 1] * inverse))
                         : "memory");
    }
    staging.write<1>(p, firstRow, rows, firstColumn);
}

/// Four lanes write 32 bytes of a row at a time: whole sectors already. Sums are added by the cache, for
/// which nothing waits; each is added to by one thread alone, so that the result stays the same.
template <Epilogue E>
__device__ __forceinline__ void storeF32(const GemmParams &p, std::int64_t firstRow, int rows,
                                         int firstColumn, const float (&total)[64])
{
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int h = 0; h < 2; ++h) {
        const int row = lane / 4 + h * 8;
        float *c = static_cast<float *>(p.c) + (firstRow + row) * p.cStride + firstColumn + lane % 4 * 2;
        const int columns = row < rows ? p.n - firstColumn - lane % 4 * 2 : 0;
#pragma unroll
        for (int j = 0; j < 16; ++j) {
            if (j * 8 >= columns)
                continue;
            const float x = total[j * 4 + h * 2];
            const float y = total[j * 4 + h * 2 + 1];
            if constexpr (E == Epilogue::AddF32)
                asm volatile("red.relaxed.gpu.global.add.v2.f32 [%0], {%1, %2};" ::"l"(c + j * 8), "f"(x),
                             "f"(y)
                             : "memory");
            else
                *reinterpret_cast<float2 *>(c + j * 8) = {x, y};
        }
    }
}

template <Epilogue E>
__device__ __forceinline__ void storeTile(const GemmParams &p, const Fp8Tile<E> &tile, const Staging &staging,
                                          const float (&total)[2][64])
{
    const int warpRow = static_cast<int>(threadIdx.x) / 32 * 16;
    const std::int64_t row = tile.firstRow + warpRow;
    const int rows = tile.rows - warpRow;
    if constexpr (E == Epilogue::Gated) {
        storeGated(p, row, rows, tile.firstColumn, staging, total[0], total[1]);
    } else {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            if constexpr (E == Epilogue::Bf16)
                storeBf16(p, row, rows, tile.firstColumn + half * 128, staging, total[half]);
            else
                storeF32<E>(p, row, rows, tile.firstColumn + half * 128, total[half]);
        }
    }
}

template <Epilogue E>
__device__ __forceinline__ void gemm(const Fp8GemmParams &p)
{
    extern __shared__ __align__(1024) std::uint8_t shared[];
    Ring ring{sharedAddress(shared), sharedAddress(shared) + stages * stageBytes + 8 * stagingBytes};
    if (threadIdx.x == 0) {
        for (int s = 0; s < stages; ++s) {
            initBarrier(ring.barriers + s * 16, 1);
            initBarrier(ring.barriers + s * 16 + 8, 8);
        }
        fenceAsync();
    }
    __syncthreads();
    Fp8Tile<E> tile;
    const int first = static_cast<int>(blockIdx.x);
    const int step = static_cast<int>(gridDim.x);
    if (threadIdx.x >= 256) {
        giveRegisters<40>();
        if (threadIdx.x == 256)
            for (int index = first; tile.find(p.gemm, index); index += step)
                copyTile<E>(p, tile, ring);
    } else {
        takeRegisters<232>();
        const Staging staging{sharedAddress(shared) + stages * stageBytes + threadIdx.x / 32 * stagingBytes};
        float total[2][64];
        for (int index = first; tile.find(p.gemm, index); index += step) {
            multiplyTile<E>(p.gemm, tile, ring, total);
            storeTile<E>(p.gemm, tile, staging, total);
        }
    }
}

} // namespace

#define BATHYSCOPE_FP8_GEMM(name, epilogue)                                                                  \
    extern "C" __global__ void __launch_bounds__(threads, 1) name(const __grid_constant__ Fp8GemmParams p)   \
    {                                                                                                        \
        gemm<epilogue>(p);                                                                                   \
    }

BATHYSCOPE_FP8_GEMM(fp8_gemm_bf16, Epilogue::Bf16)
BATHYSCOPE_FP8_GEMM(fp8_gemm_f32, Epilogue::F32)
BATHYSCOPE_FP8_GEMM(fp8_gemm_add, Epilogue::AddF32)
BATHYSCOPE_FP8_GEMM(fp8_gemm_gated, Epilogue::Gated)

} // namespace bathyscope::kernels::cuda

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

/// Scales of a thread's two rows of a and of the two halves of the weights, for 128 columns.
struct Scales {
    float a[2];
    float b[2];
};

template <Epilogue E>
__device__ __forceinline__ Scales loadScales(const GemmParams &p, const Fp8Tile<E> &tile,
                                             const std::int32_t (&rows)[2], int block)
{
    const float *a = p.aScales + std::int64_t(block) * p.aScaleStride;
    return {{__ldg(a + rows[0]), __ldg(a + rows[1])},
            {tile.weightScale(p, 0, block), tile.weightScale(p, weightRows / 2, block)}};
}

template <Epilogue E>
__device__ __forceinline__ void multiplyTile(const GemmParams &p, const Fp8Tile<E> &tile, Ring &ring,
                                             float (&total)[2][64])
{
    const int row = firstRowOfThread();
    const std::int32_t rows[2] = {tile.firstRow + min(row, tile.rows - 1),
                                  tile.firstRow + min(row + 8, tile.rows - 1)};
    const std::uint32_t offset = threadIdx.x / 128 * 64 * depth;
    const int blocks = (p.k + depth - 1) / depth;
#pragma unroll
    for (int i = 0; i < 128; ++i)
        total[i / 64][i % 64] = 0;
    Scales next = loadScales<E>(p, tile, rows, 0);
    for (int block = 0; block < blocks; ++block) {
        const Scales scales = next;
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
            if (half == 0) // in time for the next block, and behind work of this one
                next = loadScales<E>(p, tile, rows, min(block + 1, blocks - 1));
            waitWgmma<0>();
            if (half == 1 && threadIdx.x % 32 == 0)
                arrive(ring.empty());
            const float first = scales.a[0] * scales.b[half];
            const float second = scales.a[1] * scales.b[half];
#pragma unroll
            for (int i = 0; i < 64; ++i)
                total[half][i] = fmaf(i % 4 < 2 ? first : second, sums[i], total[half][i]);
        }
        ring.next();
    }
}

/// silu(gate) * up of a row's 128 columns, quantised with the scale of the four lanes that share the row.
/// H: which of the thread's two rows.
template <int H>
__device__ __forceinline__ void storeGated(const GemmParams &p, std::int64_t row, int firstColumn,
                                           const float (&gate)[64], const float (&up)[64])
{
    float v[32];
    float largest = 0;
#pragma unroll
    for (int i = 0; i < 32; ++i) {
        const int at = i / 2 * 4 + H * 2 + i % 2;
        v[i] = silu(gate[at]) * up[at];
        largest = fmaxf(largest, fabsf(v[i]));
    }
    largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFU, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFU, largest, 2));
    const float scale = largest > 0 ? largest / largestE4m3 : 1.0F;
    const float inverse = 1.0F / scale;
    if (row < 0)
        return;
    if (threadIdx.x % 4 == 0)
        p.cScales[std::int64_t(firstColumn / 128) * p.cScaleStride + row] = scale;
    auto *c = static_cast<std::uint8_t *>(p.c) + row * p.cStride;
#pragma unroll
    for (int j = 0; j < 16; ++j) {
        const int column = firstColumn + j * 8 + static_cast<int>(threadIdx.x % 4) * 2;
        if (column < p.n)
            *reinterpret_cast<std::uint16_t *>(c + column) =
                narrowToE4m3(v[2 * j] * inverse, v[2 * j + 1] * inverse);
    }
}

template <Epilogue E, int H>
__device__ __forceinline__ void storeRow(const GemmParams &p, const Fp8Tile<E> &tile,
                                         const float (&total)[2][64])
{
    const int row = firstRowOfThread() + H * 8;
    const bool there = row < tile.rows;
    if constexpr (E == Epilogue::Gated) {
        storeGated<H>(p, there ? tile.firstRow + row : -1, tile.firstColumn, total[0], total[1]);
    } else if (there) {
#pragma unroll
        for (int i = 0; i < 32; ++i) {
            const int column = tile.firstColumn + i * 8 + static_cast<int>(threadIdx.x % 4) * 2;
            storePair<E>(p, tile.firstRow + row, column, total[i / 16][i % 16 * 4 + H * 2],
                         total[i / 16][i % 16 * 4 + H * 2 + 1], 0, 0);
        }
    }
}

template <Epilogue E>
__device__ __forceinline__ void gemm(const Fp8GemmParams &p)
{
    extern __shared__ __align__(1024) std::uint8_t shared[];
    Ring ring{sharedAddress(shared), sharedAddress(shared) + stages * stageBytes};
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
        float total[2][64];
        for (int index = first; tile.find(p.gemm, index); index += step) {
            multiplyTile<E>(p.gemm, tile, ring, total);
            storeRow<E, 0>(p.gemm, tile, total);
            storeRow<E, 1>(p.gemm, tile, total);
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

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Products of bf16 activations with stored weights of any type, for one matrix or for the experts of a
// layer: mma.sync on sm_80 and later. Weights are widened to bf16 on their way into shared memory; the block
// scales of e4m3 are applied in float32 to the sums of each 128 columns.
#include "kernels/cuda/gemm_tile.cuh"
#include "kernels/cuda/tensor_core.cuh"

namespace bathyscope::kernels::cuda {

namespace {

template <Epilogue E>
using GemmTile = Tile<E, gemmTile>;

constexpr int depth = 64; ///< columns of a stage: 128 bytes of bf16
constexpr int stages = 3;
constexpr int stageBytes = gemmTile * depth * 2;
constexpr int threads = 256; ///< 2 × 4 warps of 64 × 32 outputs each
constexpr int chunksPerThread = gemmTile * depth / 8 / threads;

/// What a thread copies of each stage: chunk `threadIdx.x % 8` of every 32nd row.
template <typename Stored, Epilogue E>
struct Loader {
    using Raw = typename Stored::Raw;

    const GemmParams &p;
    const Bf16 *aRows[chunksPerThread];
    std::int64_t bOffsets[chunksPerThread]; ///< elements; -1: no such row
    const void *bRows[chunksPerThread];
    bool whole; ///< every chunk of a row of weights is there as a whole
    int chunk = threadIdx.x % 8;
    int row = threadIdx.x / 8;

    __device__ Loader(const GemmParams &params, const GemmTile<E> &tile)
        : p(params)
        , whole(params.k % 8 == 0)
    {
#pragma unroll
        for (int i = 0; i < chunksPerThread; ++i) {
            const int r = row + i * 32;
            const std::int64_t from = tile.sourceRow(p, r);
            aRows[i] = from < 0 ? nullptr : static_cast<const Bf16 *>(p.a) + from * p.aStride;
            const void *data = tile.weightData(p, r);
            bRows[i] = data ? data : tile.weights.data;
            bOffsets[i] = data ? std::int64_t(tile.weightRow(r)) * p.k : -1;
        }
    }

    __device__ void copyA(std::uint32_t stage, int k) const
    {
        const int column = k + chunk * 8;
#pragma unroll
        for (int i = 0; i < chunksPerThread; ++i) {
            const int valid = aRows[i] ? max(0, min(8, p.k - column)) : 0;
            copyAsync16(stage + swizzled(row + i * 32, chunk), valid ? aRows[i] + column : p.a, valid * 2);
        }
    }

    /// Begins all loads; where there is nothing to load, the matrix' first elements stand in.
    __device__ void loadB(Raw (&raw)[chunksPerThread], int k) const
    {
        const int column = k + chunk * 8;
        if (!whole)
            return;
#pragma unroll
        for (int i = 0; i < chunksPerThread; ++i)
            raw[i] = Stored::load(bRows[i], column < p.k && bOffsets[i] >= 0 ? bOffsets[i] + column : 0);
    }

    __device__ void storeB(std::uint32_t stage, const Raw (&raw)[chunksPerThread], int k) const
    {
        const int column = k + chunk * 8;
#pragma unroll
        for (int i = 0; i < chunksPerThread; ++i) {
            const int valid = bOffsets[i] >= 0 ? max(0, min(8, p.k - column)) : 0;
            uint4 values = {0, 0, 0, 0};
            if (valid > 0)
                values = whole ? Stored::toBf16(raw[i])
                               : partOfEight<Stored>(bRows[i], bOffsets[i] + column, valid);
            storeShared16(stage + swizzled(row + i * 32, chunk), values);
        }
    }
};

/// Where a warp stands in the tile. With Epilogue::Gated columns 64 … 127 of the tile are those of up, and a
/// warp has 16 of gate and the same 16 of up.
template <Epilogue E>
struct WarpPlace {
    int lane = threadIdx.x % 32;
    int row = threadIdx.x / 128 * 64;
    int index = threadIdx.x / 32 % 4;

    /// First column of the tile of pair `pair` (16 columns each).
    __device__ int column(int pair) const
    {
        return E == Epilogue::Gated ? pair * 64 + index * 16 : index * 32 + pair * 16;
    }
};

/// sums += a · bᵀ over one stage.
template <Epilogue E>
__device__ __forceinline__ void multiplyStage(float (&sums)[4][4][4], std::uint32_t a, std::uint32_t b,
                                              const WarpPlace<E> &warp)
{
#pragma unroll
    for (int step = 0; step < depth / 16; ++step) {
        std::uint32_t af[4][4];
        std::uint32_t bf[2][4];
#pragma unroll
        for (int i = 0; i < 4; ++i)
            loadMatrices(af[i], a + swizzled(warp.row + i * 16 + warp.lane % 16, step * 2 + warp.lane / 16));
#pragma unroll
        for (int i = 0; i < 2; ++i)
            loadMatrices(bf[i],
                         b
                             + swizzled(warp.column(i) + warp.lane / 16 * 8 + warp.lane % 8,
                                        step * 2 + warp.lane / 8 % 2));
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
            for (int j = 0; j < 4; ++j)
                multiplyAdd(sums[i][j], af[i], bf[j / 2][j % 2 * 2], bf[j / 2][j % 2 * 2 + 1]);
    }
}

/// total += scale * sums, one scale for 8 columns; sums = 0.
template <Epilogue E>
__device__ __forceinline__ void promote(float (&total)[4][4][4], float (&sums)[4][4][4], const GemmParams &p,
                                        const GemmTile<E> &tile, const WarpPlace<E> &warp, int k)
{
#pragma unroll
    for (int j = 0; j < 4; ++j) {
        const float scale = tile.weightScale(p, warp.column(j / 2) + j % 2 * 8, k / 128);
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                total[i][j][e] = fmaf(scale, sums[i][j][e], total[i][j][e]);
                sums[i][j][e] = 0;
            }
    }
}

template <Epilogue E>
__device__ __forceinline__ void store(const float (&sums)[4][4][4], const GemmParams &p,
                                      const GemmTile<E> &tile, const WarpPlace<E> &warp)
{
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = warp.row + i * 16 + half * 8 + warp.lane / 4;
            if (row >= tile.rows)
                continue;
#pragma unroll
            for (int j = 0; j < (E == Epilogue::Gated ? 2 : 4); ++j) {
                const int column = (E == Epilogue::Gated ? warp.index * 16 : warp.column(j / 2)) + j % 2 * 8
                    + warp.lane % 4 * 2;
                const float up0 = sums[i][j % 2 + 2][half * 2];
                const float up1 = sums[i][j % 2 + 2][half * 2 + 1];
                storePair<E>(p, tile.firstRow + row, tile.firstColumn + column, sums[i][j][half * 2],
                             sums[i][j][half * 2 + 1], up0, up1);
            }
        }
}

template <typename Stored, Epilogue E>
__device__ __forceinline__ void gemm(const GemmParams &p)
{
    extern __shared__ __align__(1024) std::uint8_t shared[];
    constexpr bool scaled = Stored::bytes == 1;
    GemmTile<E> tile;
    if (!tile.find(p, static_cast<int>(blockIdx.x)))
        return;
    const std::uint32_t base = sharedAddress(shared);
    const auto stageA = [&](int k) { return base + k % stages * 2 * stageBytes; };
    const auto stageB = [&](int k) { return stageA(k) + stageBytes; };
    const Loader<Stored, E> loader(p, tile);
    const WarpPlace<E> warp;
    const int steps = (p.k + depth - 1) / depth;
    typename Stored::Raw next[chunksPerThread];
    for (int s = 0; s < stages - 1; ++s) {
        if (s < steps) {
            loader.copyA(stageA(s), s * depth);
            loader.loadB(next, s * depth);
            loader.storeB(stageB(s), next, s * depth);
        }
        commitCopies();
    }
    float sums[4][4][4] = {};
    float total[4][4][4] = {};
    for (int s = 0; s < steps; ++s) {
        waitForCopies<stages - 2>();
        __syncthreads();
        const int ahead = s + stages - 1;
        if (ahead < steps) {
            loader.copyA(stageA(ahead), ahead * depth);
            loader.loadB(next, ahead * depth);
        }
        commitCopies();
        multiplyStage<E>(sums, stageA(s), stageB(s), warp);
        if (ahead < steps)
            loader.storeB(stageB(ahead), next, ahead * depth);
        if (scaled && (s % 2 == 1 || s + 1 == steps))
            promote<E>(total, sums, p, tile, warp, s * depth);
    }
    store<E>(scaled ? total : sums, p, tile, warp);
}

} // namespace

#define BATHYSCOPE_GEMM(name, stored, epilogue)                                                              \
    extern "C" __global__ void __launch_bounds__(threads, 1) name(const __grid_constant__ GemmParams p)      \
    {                                                                                                        \
        gemm<stored, epilogue>(p);                                                                           \
    }
#define BATHYSCOPE_GEMMS(type, stored)                                                                       \
    BATHYSCOPE_GEMM(gemm_##type##_bf16, stored, Epilogue::Bf16)                                              \
    BATHYSCOPE_GEMM(gemm_##type##_f32, stored, Epilogue::F32)                                                \
    BATHYSCOPE_GEMM(gemm_##type##_add, stored, Epilogue::AddF32)                                             \
    BATHYSCOPE_GEMM(gemm_##type##_gated, stored, Epilogue::Gated)

BATHYSCOPE_GEMMS(f32, StoredF32)
BATHYSCOPE_GEMMS(f16, StoredF16)
BATHYSCOPE_GEMMS(bf16, StoredBf16)
BATHYSCOPE_GEMMS(e4m3, StoredE4m3)

} // namespace bathyscope::kernels::cuda

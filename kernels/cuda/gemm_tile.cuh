// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the product kernels share: which tile a block computes, which weights belong to it, and what is done
// with the sums.
#pragma once

#include "kernels/cuda/prefill_params.h"

#include <cuda_bf16.h>

namespace bathyscope::kernels::cuda {

/// Columns of c that a tile with `weightRows` rows of weights makes: with Epilogue::Gated half of them are
/// gate's, half are up's.
template <Epilogue E, int weightRows>
constexpr int tileColumns = E == Epilogue::Gated ? weightRows / 2 : weightRows;

/// A part of c of gemmTile rows. Tiles that follow each other share rows, so that activations are read once
/// and an expert's weights stay in the cache while its tiles are made.
template <Epilogue E, int weightRows>
struct Tile {
    static constexpr int width = tileColumns<E, weightRows>;
    int group = 0;
    int firstRow = 0; ///< of c
    int rows = 0; ///< that exist, up to gemmTile
    int firstColumn = 0; ///< of c
    WeightPointers weights;
    WeightPointers up;

    /// False beyond the last tile: the number of tiles is known on the device only.
    __device__ bool find(const GemmParams &p, int index)
    {
        const int columns = (p.n + width - 1) / width;
        // The first of the groups may not be the first of all.
        const int rowTile = index / columns + (p.groups > 0 ? p.groupTiles[0] : 0);
        firstColumn = index % columns * width;
        weights = p.weights;
        up = p.up;
        if (p.groups == 0) {
            firstRow = rowTile * gemmTile;
            rows = min(gemmTile, p.m - firstRow);
            return rows > 0;
        }
        if (rowTile >= p.groupTiles[p.groups])
            return false;
        int low = 0;
        int high = p.groups; // groupTiles[low] <= rowTile < groupTiles[high]
        while (high - low > 1) {
            const int middle = (low + high) / 2;
            (p.groupTiles[middle] <= rowTile ? low : high) = middle;
        }
        group = low;
        firstRow = p.groupRows[group] + (rowTile - p.groupTiles[group]) * gemmTile;
        rows = min(gemmTile, p.groupRows[group + 1] - firstRow);
        weights = ofGroup(p, p.weights);
        if (E == Epilogue::Gated)
            up = ofGroup(p, p.up);
        return true;
    }

    __device__ WeightPointers ofGroup(const GemmParams &p, const WeightPointers &first) const
    {
        return {static_cast<const std::uint8_t *>(first.data) + group * p.groupBytes,
                first.scales ? first.scales + group * p.groupScales : nullptr};
    }

    /// Row of a that row `row` of the tile is made from, -1: none.
    __device__ int sourceRow(const GemmParams &p, int row) const
    {
        if (row >= rows)
            return -1;
        return p.gather ? p.gather[firstRow + row] : firstRow + row;
    }

    __device__ bool isUp(int row) const { return E == Epilogue::Gated && row >= width; }

    /// Row of its matrix that row `row` of the tile's weights is.
    __device__ int weightRow(int row) const { return firstColumn + (isUp(row) ? row - width : row); }

    /// The matrix that it is a row of; none beyond the last.
    __device__ const void *weightData(const GemmParams &p, int row) const
    {
        return weightRow(row) < p.n ? (isUp(row) ? up.data : weights.data) : nullptr;
    }

    /// Scale of row `row` of the tile's weights for 128 columns of k.
    __device__ float weightScale(const GemmParams &p, int row, int block) const
    {
        const int of = min(weightRow(row), p.n - 1) + p.firstRow;
        return __ldg((isUp(row) ? up.scales : weights.scales) + of / 128 * p.scaleColumns + block);
    }
};

__device__ __forceinline__ float silu(float v)
{
    return __fdividef(v, 1.0F + __expf(-v));
}

/// Columns `column` and `column + 1` of c. Even columns and strides make the pair one access.
template <Epilogue E>
__device__ __forceinline__ void storePair(const GemmParams &p, std::int64_t row, int column, float v0,
                                          float v1, float up0, float up1)
{
    if (column >= p.n)
        return;
    const bool both = column + 1 < p.n;
    const std::int64_t at = row * p.cStride + column;
    if (E == Epilogue::Gated) {
        v0 = silu(v0) * up0;
        v1 = silu(v1) * up1;
    }
    if (E == Epilogue::Bf16 || E == Epilogue::Gated) {
        auto *c = static_cast<__nv_bfloat16 *>(p.c) + at;
        if (both && at % 2 == 0) {
            *reinterpret_cast<__nv_bfloat162 *>(c) = __floats2bfloat162_rn(v0, v1);
            return;
        }
        c[0] = __float2bfloat16(v0);
        if (both)
            c[1] = __float2bfloat16(v1);
        return;
    }
    float *c = static_cast<float *>(p.c) + at;
    if (E == Epilogue::AddF32) { // by the cache: nothing waits, and no other thread adds to the same place
        atomicAdd(c, v0);
        if (both)
            atomicAdd(c + 1, v1);
        return;
    }
    if (both && at % 2 == 0) {
        *reinterpret_cast<float2 *>(c) = {v0, v1};
        return;
    }
    c[0] = v0;
    if (both)
        c[1] = v1;
}

} // namespace bathyscope::kernels::cuda

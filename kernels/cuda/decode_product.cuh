// SPDX-License-Identifier: GPL-3.0-or-later
//
// Products of stored weights with up to eight tokens, on tensor cores: mma.m16n8k16 with eight rows of
// weights as its columns and, as its rows, the high parts of eight tokens and then their low parts. Since a
// sum does not care for the order of its terms, a lane takes 16 consecutive bytes of a row as its share of
// k, and weights go from memory to registers to the tensor core without shared memory between.
#pragma once

#include "kernels/cuda/decode_common.cuh"

#include <cstddef>

namespace bathyscope::kernels::cuda {

/// Rows of weights that a warp takes at once.
constexpr int tileRows = 8;

__device__ __forceinline__ uint4 loadStreamed(const void *address)
{
    uint4 v;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "l"(address));
    return v;
}

template <bool Halves>
__device__ __forceinline__ void multiplyTile(float (&d)[4], std::uint32_t a0, std::uint32_t a1,
                                             std::uint32_t a2, std::uint32_t a3, std::uint32_t b0,
                                             std::uint32_t b1)
{
    if constexpr (Halves)
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                     "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                     : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
    else
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                     "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                     : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

/// Two e4m3 numbers as halves; what they must be multiplied with is e4m3Factor.
#if __CUDA_ARCH__ >= 890
constexpr float e4m3Factor = 1.0F;
__device__ __forceinline__ std::uint32_t widenPair(std::uint32_t pair)
{
    std::uint32_t halves;
    asm("{.reg .b16 low; .reg .b16 high; mov.b32 {low, high}, %1; cvt.rn.f16x2.e4m3x2 %0, low;}"
        : "=r"(halves)
        : "r"(pair));
    return halves;
}
#else
constexpr float e4m3Factor = 256.0F;
__device__ __forceinline__ std::uint32_t widenPair(std::uint32_t pair)
{
    const std::uint32_t apart = __byte_perm(pair, 0, 0x1404); // each in the high byte of its half
    return (apart & 0x80008000U) | ((apart & 0x7F007F00U) >> 1U);
}
#endif

__device__ __forceinline__ std::uint32_t sharedAddressOf(const void *pointer)
{
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

/// Four activations in their two parts.
__device__ __forceinline__ uint4 loadShared16(std::uint32_t address)
{
    uint4 v;
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "r"(address)
                 : "memory");
    return v;
}

/// The part of a float32 that bfloat16 holds, packed for two; what is left stays in the arguments.
__device__ __forceinline__ std::uint32_t takeBf16(float &a, float &b)
{
    const __nv_bfloat16 x = __float2bfloat16_rn(a);
    const __nv_bfloat16 y = __float2bfloat16_rn(b);
    a -= __bfloat162float(x);
    b -= __bfloat162float(y);
    return __bfloat16_as_ushort(x) | static_cast<std::uint32_t>(__bfloat16_as_ushort(y)) << 16U;
}

/// d += weights · activations for 16 bytes of each lane; `a`: a quarter, half or all of an e4m3's share.
template <DType dtype>
__device__ __forceinline__ void multiplyShare(float (&d)[4], const uint4 &w, const uint4 (&a)[4])
{
    const std::uint32_t words[4] = {w.x, w.y, w.z, w.w};
    if constexpr (dtype == DType::F8E4M3) {
#pragma unroll
        for (int i = 0; i < 4; ++i)
            multiplyTile<true>(d, a[i].x, a[i].y, a[i].z, a[i].w, widenPair(words[i]),
                               widenPair(words[i] >> 16U));
    } else if constexpr (dtype == DType::F32) {
        float f[4];
#pragma unroll
        for (int i = 0; i < 4; ++i)
            f[i] = __uint_as_float(words[i]);
#pragma unroll
        for (int part = 0; part < 3; ++part) {
            const std::uint32_t b0 = takeBf16(f[0], f[1]);
            const std::uint32_t b1 = takeBf16(f[2], f[3]);
            multiplyTile<false>(d, a[0].x, a[0].y, a[0].z, a[0].w, b0, b1);
        }
    } else {
#pragma unroll
        for (int i = 0; i < 2; ++i)
            multiplyTile<dtype == DType::F16>(d, a[i].x, a[i].y, a[i].z, a[i].w, words[2 * i],
                                              words[2 * i + 1]);
    }
}

/// Eight rows of a matrix, some of their units, and the activations they meet.
struct TileParams {
    const DeviceMatrix *matrix;
    const std::byte *data; ///< of row 0 of the matrix: another expert's may be meant
    const float *scales;
    int firstRow; ///< even
    int unitBegin;
    int unitEnd;
    const std::uint16_t *activations; ///< of this lane's token at column 0; none: zeros
};

/// One lane's stream of weights through its warp's ring: units are asked for `depth` ahead.
template <DType dtype, int Matrices>
class UnitStream {
public:
    static constexpr int depth = ringPieces / (2 * Matrices);
    static constexpr int elements = dtype == DType::F8E4M3 ? 16 : dtype == DType::F32 ? 4 : 8; // of 16 bytes

    __device__ __forceinline__ UnitStream(WeightRing &ring, const TileParams (&p)[Matrices])
        : m_ring(sharedAddressOf(&ring.weights[0][laneOf()]))
        , m_scaleRing(sharedAddressOf(&ring.scales[0][laneOf()]))
        , m_end(p[0].unitEnd)
    {
        const std::int64_t rowBytes = static_cast<std::int64_t>(p[0].matrix->columns) * (16 / elements);
        m_lastByte = static_cast<int>(rowBytes) - laneOf() % 4 * 16;
#pragma unroll
        for (int m = 0; m < Matrices; ++m) {
            const int last = p[m].matrix->rows - 1;
            m_row[m] = p[m].data + min(p[m].firstRow + laneOf() / 4, last) * rowBytes + laneOf() % 4 * 16;
            if (dtype == DType::F8E4M3)
                m_scale[m] = p[m].scales
                    + min(p[m].firstRow + laneOf() % 4 * 2, last) / 128 * p[m].matrix->scaleColumns;
        }
    }

    /// Asks for a unit; nothing past the end.
    __device__ __forceinline__ void request(int unit)
    {
        if (unit < m_end) {
#pragma unroll
            for (int m = 0; m < Matrices; ++m) {
#pragma unroll
                for (int half = 0; half < 2; ++half) {
                    const int offset = unit * 128 + half * 64;
                    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(place(m, half)),
                                 "l"(m_row[m] + (offset < m_lastByte ? offset : 0)),
                                 "r"(offset < m_lastByte ? 16 : 0)
                                 : "memory");
                }
                if (dtype == DType::F8E4M3)
                    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(scalePlace(m)),
                                 "l"(m_scale[m] + unit)
                                 : "memory");
            }
        }
        asm volatile("cp.async.commit_group;" ::: "memory");
        m_slot = m_slot + 1 == depth ? 0 : m_slot + 1;
    }

    /// The oldest unit asked for is there; its place is the one that the next request takes.
    __device__ __forceinline__ void wait() const
    {
        asm volatile("cp.async.wait_group %0;" ::"n"(depth - 1) : "memory");
    }

    __device__ __forceinline__ uint4 weights(int m, int half) const
    {
        return loadShared16(place(m, half));
    }

    __device__ __forceinline__ float scale(int m) const
    {
        if (dtype != DType::F8E4M3)
            return 1.0F;
        float value;
        asm volatile("ld.shared.f32 %0, [%1];" : "=f"(value) : "r"(scalePlace(m)) : "memory");
        return value * e4m3Factor;
    }

private:
    __device__ __forceinline__ std::uint32_t place(int m, int half) const
    {
        return m_ring + ((m_slot * Matrices + m) * 2 + half) * warpSize32 * 16;
    }
    __device__ __forceinline__ std::uint32_t scalePlace(int m) const
    {
        return m_scaleRing + (m_slot * Matrices + m) * warpSize32 * 4;
    }

    std::uint32_t m_ring;
    std::uint32_t m_scaleRing;
    int m_end;
    int m_lastByte; ///< of the row, from this lane's first on
    int m_slot = 0;
    const std::byte *m_row[Matrices];
    const float *m_scale[Matrices];
};

/// sums[2 parts][2 rows]: d of the rows 2·(lane % 4) and the next of the tile, for token lane / 4; the low
/// parts' share apart. Rows past the end repeat the last one.
template <DType dtype, int Matrices>
__device__ __noinline__ void multiplyUnits(BlockState &state, WeightRing &ring, float (&sums)[Matrices][4],
                                           const TileParams (&p)[Matrices])
{
    using Stream = UnitStream<dtype, Matrices>;
    constexpr int elements = Stream::elements;
    Stream stream(ring, p);
#pragma unroll 1
    for (int i = 0; i < Stream::depth; ++i)
        stream.request(p[0].unitBegin + i);
    const bool there = p[0].activations != nullptr;
    std::uint32_t at = sharedAddressOf(&state.zeros);
    if (there)
        at = sharedAddressOf(p[0].activations) + (p[0].unitBegin * 8 + laneOf() % 4) * elements * 4;
    const std::uint32_t next = there ? 16 : 0; // from four activations to the next
    const std::uint32_t step = there ? 4 * elements * 4 : 0; // from one half of a unit to the next
    for (int unit = p[0].unitBegin; unit < p[0].unitEnd; ++unit) {
        stream.wait();
        float block[Matrices][2][4] = {};
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            uint4 share[4];
#pragma unroll
            for (int i = 0; i < elements / 4; ++i)
                share[i] = loadShared16(at + i * next);
            at += step;
#pragma unroll
            for (int m = 0; m < Matrices; ++m)
                multiplyShare<dtype>(block[m][half], stream.weights(m, half), share);
        }
#pragma unroll
        for (int m = 0; m < Matrices; ++m) {
            const float scale = stream.scale(m);
#pragma unroll
            for (int i = 0; i < 4; ++i)
                sums[m][i] += (block[m][0][i] + block[m][1][i]) * scale;
        }
        stream.request(unit + Stream::depth);
    }
    asm volatile("cp.async.wait_all;" ::: "memory");
}

template <int Matrices>
__device__ __forceinline__ void multiplyUnits(DType dtype, BlockState &state, WeightRing *rings,
                                              float (&sums)[Matrices][4], const TileParams (&p)[Matrices])
{
    switch (dtype) {
    case DType::F32:
        return multiplyUnits<DType::F32>(state, rings[warpOf()], sums, p);
    case DType::F16:
        return multiplyUnits<DType::F16>(state, rings[warpOf()], sums, p);
    case DType::BF16:
        return multiplyUnits<DType::BF16>(state, rings[warpOf()], sums, p);
    default:
        return multiplyUnits<DType::F8E4M3>(state, rings[warpOf()], sums, p);
    }
}

__device__ __forceinline__ std::int64_t bytesOf(const DeviceMatrix &m)
{
    return static_cast<std::int64_t>(m.rows) * m.columns * 16 / elementsOf16Bytes(m.dtype);
}

/// How a block's warps take tiles: few tiles are each shared by several warps, which split their columns.
struct TileSchedule {
    int warpsPerTile;
    int rounds; ///< the same for all blocks
    int tile; ///< of this warp in round 0
    int step; ///< from round to round
    int part; ///< of this warp among those of its tile

    __device__ __forceinline__ TileSchedule(int tiles, int block, int blocks)
    {
        const int each = (tiles + blocks - 1) / blocks;
        warpsPerTile = each <= 1 ? 16 : each <= 2 ? 8 : each <= 4 ? 4 : each <= 8 ? 2 : 1;
        const int atOnce = decodeWarps / warpsPerTile;
        rounds = (each + atOnce - 1) / atOnce;
        part = warpOf() % warpsPerTile;
        tile = block + blocks * (warpOf() / warpsPerTile);
        step = blocks * atOnce;
    }

    /// This warp's share of `units`.
    __device__ __forceinline__ int begin(int units) const { return part * units / warpsPerTile; }
    __device__ __forceinline__ int end(int units) const { return (part + 1) * units / warpsPerTile; }
};

/// Adds up the shares of the warps of a tile and gives the results of all matrices at one place to
/// `emit(token, row of the tile, values)` once. All warps of the block call it together.
template <int Matrices, typename Emit>
__device__ __forceinline__ void finishTile(BlockState &state, const TileSchedule &schedule,
                                           const float (&sums)[Matrices][4], int tokens, bool valid,
                                           const Emit &emit)
{
    constexpr int places = decodeMaxTokens * tileRows;
    const int token = laneOf() / 4;
    const int row = laneOf() % 4 * 2;
    if (schedule.warpsPerTile == 1) {
        if (!valid || token >= tokens)
            return;
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            float values[Matrices];
#pragma unroll
            for (int m = 0; m < Matrices; ++m)
                values[m] = sums[m][i] + sums[m][i + 2];
            emit(token, row + i, values);
        }
        return;
    }
    __syncthreads();
#pragma unroll
    for (int m = 0; m < Matrices; ++m) {
        float *products = state.products[warpOf()] + m * places + token * tileRows + row;
        products[0] = sums[m][0] + sums[m][2];
        products[1] = sums[m][1] + sums[m][3];
    }
    __syncthreads();
    const int first = warpOf() - schedule.part;
    for (int i = schedule.part * warpSize32 + laneOf(); i < tokens * tileRows;
         i += schedule.warpsPerTile * warpSize32) {
        float values[Matrices] = {};
        for (int w = 0; w < schedule.warpsPerTile; ++w)
#pragma unroll
            for (int m = 0; m < Matrices; ++m)
                values[m] += state.products[first + w][m * places + i];
        if (valid)
            emit(i / tileRows, i % tileRows, values);
    }
}

/// y[t, r] = W[r] · x[t] for the staged tokens, rows split among the blocks; emit(token, row, value).
template <typename Emit>
__device__ __forceinline__ void multiplyRows(BlockState &state, WeightRing *rings, const DeviceMatrix &matrix,
                                             const SplitVectors &x, int tokens, int firstRow, int rows,
                                             int block, int blocks, const Emit &emit)
{
    const TileSchedule schedule((rows + tileRows - 1) / tileRows, block, blocks);
    const int units = roundUp(matrix.columns, elementsOfUnit(matrix.dtype)) / elementsOfUnit(matrix.dtype);
    const int token = laneOf() / 4;
    int tile = schedule.tile;
    for (int round = 0; round < schedule.rounds; ++round, tile += schedule.step) {
        const bool valid = tile * tileRows < rows;
        float sums[1][4] = {};
        if (valid) {
            const TileParams p[1] = {{.matrix = &matrix,
                                      .data = static_cast<const std::byte *>(matrix.data),
                                      .scales = matrix.scales,
                                      .firstRow = firstRow + tile * tileRows,
                                      .unitBegin = schedule.begin(units),
                                      .unitEnd = schedule.end(units),
                                      .activations = token < tokens ? x.at(token, 0) : nullptr}};
            multiplyUnits(matrix.dtype, state, rings, sums, p);
        }
        finishTile(state, schedule, sums, tokens, valid, [&](int t, int r, const float(&value)[1]) {
            if (tile * tileRows + r < rows)
                emit(t, tile * tileRows + r, value[0]);
        });
    }
}

} // namespace bathyscope::kernels::cuda

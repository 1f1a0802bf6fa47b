// SPDX-License-Identifier: GPL-3.0-or-later
//
// Products of weights with a few tokens' activations on tensor cores. Sixteen rows of weights are the rows of
// m16n8k16 products; the columns are the tokens, each as the sum of two 16-bit numbers that keep float32's
// leading bits, so that products are about as exact as with float32. The warps of a block share the columns
// of a tile of rows. While a piece of weights is multiplied, those that come next are on their way to the
// same registers.
#pragma once

#include "kernels/cuda/decode_common.cuh"
#include "kernels/cuda/tensor_core.cuh"

namespace bathyscope::kernels::cuda {

constexpr int tileRows = 16;
constexpr int stepBytes = 64; ///< of a row that a warp multiplies at once: 16 a lane
constexpr int stepsInFlight = 4;

template <DType dtype>
constexpr int stepColumns = stepBytes *pieceElements<dtype> / 16;

/// Whether activations meet weights of a type as halves, which e4m3 and halves become exactly; else as
/// bfloat16.
template <DType dtype>
constexpr bool meetsHalves = dtype == DType::F8E4M3 || dtype == DType::F16;

template <DType dtype>
__device__ __forceinline__ int rowBytesOf(int columns)
{
    return columns * (16 / pieceElements<dtype>);
}

/// Tokens that a kernel computes: up to four, whose two parts stand in neighbouring columns, or up to eight,
/// whose parts take a product each.
template <bool wide>
constexpr int tokenColumns = wide ? 8 : 4;

/// A row of weights and its block scales.
struct WeightRow {
    const std::byte *data;
    const float *scales; ///< e4m3 only
};

/// Row `row` of a matrix of `bytes` a row. (Members apart: a choice between two structs would go through
/// local memory.)
__device__ __forceinline__ WeightRow rowOf(const void *data, const float *scales, int scaleColumns, int row,
                                           int bytes)
{
    return {static_cast<const std::byte *>(data) + static_cast<std::int64_t>(row) * bytes,
            scales + static_cast<std::int64_t>(row / 128) * scaleColumns};
}

/// The two rows of a tile of which a lane holds parts: lane / 4 and 8 more.
struct LaneRows {
    WeightRow upper;
    WeightRow lower;
};

/// By member, likewise.
__device__ __forceinline__ LaneRows choose(bool first, const LaneRows &a, const LaneRows &b)
{
    return {{first ? a.upper.data : b.upper.data, first ? a.upper.scales : b.upper.scales},
            {first ? a.lower.data : b.lower.data, first ? a.lower.scales : b.lower.scales}};
}

/// Weights on their way to a lane.
template <DType dtype>
struct WeightRing {
    uint4 upper[stepsInFlight];
    uint4 lower[stepsInFlight];
    float upperScale[stepsInFlight];
    float lowerScale[stepsInFlight];

    /// Asks for the lane's 16 bytes of a step of both rows; zeros past `bytes`.
    __device__ __forceinline__ void request(int slot, const LaneRows &rows, int step, int bytes)
    {
        const int at = step * stepBytes + laneOf() % 4 * 16;
        const bool inside = at < bytes;
        upper[slot] = uint4{};
        lower[slot] = uint4{};
        if (inside) {
            upper[slot] = loadWeights(rows.upper.data + at);
            lower[slot] = loadWeights(rows.lower.data + at);
        }
        if constexpr (dtype == DType::F8E4M3) {
            // The lane adds up tokens' sums over the whole step, also where its own bytes are past the end.
            const int block = step * stepBytes / 128;
            const bool any = step * stepBytes < bytes;
            upperScale[slot] = 0;
            lowerScale[slot] = 0;
            if (any) {
                upperScale[slot] = loadScale(rows.upper.scales + block);
                lowerScale[slot] = loadScale(rows.lower.scales + block);
            }
        }
    }
};

/// Activations in shared memory as pairs of 16-bit numbers, zeros up to whole steps. Tokens lie so that the
/// lanes of a warp fall into different banks.
template <DType dtype>
struct SplitTokens {
    std::byte *data;
    int stride; ///< bytes of one part of a token

    __device__ __forceinline__ SplitTokens(void *shared, int columns)
        : data(static_cast<std::byte *>(shared))
        , stride((columns + stepColumns<dtype> - 1) / stepColumns<dtype> * stepColumns<dtype> * 2 + padding)
    {
    }

    __device__ __forceinline__ int columns() const { return (stride - padding) / 2; }

    /// Four neighbours of a token from `column`, a multiple of 4, on.
    __device__ __forceinline__ void store(int token, int column, const float4 &v) const
    {
        std::byte *high = data + 2 * token * stride + 2 * column;
        uint2 h;
        uint2 l;
        if constexpr (meetsHalves<dtype>) {
            const auto limited = [](float f) { return fminf(fmaxf(f, -65504.0F), 65504.0F); };
            const float4 f{limited(v.x), limited(v.y), limited(v.z), limited(v.w)};
            const __half2 a = __floats2half2_rn(f.x, f.y);
            const __half2 b = __floats2half2_rn(f.z, f.w);
            const float2 fa = __half22float2(a);
            const float2 fb = __half22float2(b);
            h = {bitsOf(a), bitsOf(b)};
            l = {bitsOf(__floats2half2_rn(f.x - fa.x, f.y - fa.y)),
                 bitsOf(__floats2half2_rn(f.z - fb.x, f.w - fb.y))};
        } else {
            const __nv_bfloat162 a = __floats2bfloat162_rn(v.x, v.y);
            const __nv_bfloat162 b = __floats2bfloat162_rn(v.z, v.w);
            const float2 fa = __bfloat1622float2(a);
            const float2 fb = __bfloat1622float2(b);
            h = {bitsOf(a), bitsOf(b)};
            l = {bitsOf(__floats2bfloat162_rn(v.x - fa.x, v.y - fa.y)),
                 bitsOf(__floats2bfloat162_rn(v.z - fb.x, v.w - fb.y))};
        }
        *reinterpret_cast<uint2 *>(high) = h;
        *reinterpret_cast<uint2 *>(high + stride) = l;
    }

    /// What this lane gives to the products of a step of `column`s: those of its token, or of the first where
    /// there is no such token, since columns of a product do not touch each other.
    template <bool wide>
    __device__ __forceinline__ const std::byte *ofLane(int tokens) const
    {
        const int group = laneOf() / 4;
        const int token = wide ? group : group / 2;
        const int part = wide ? 0 : group % 2;
        return data + (2 * (token < tokens ? token : 0) + part) * stride
            + laneOf() % 4 * (2 * pieceElements<dtype>);
    }

private:
    static constexpr int padding = dtype == DType::F8E4M3 ? 16 : dtype == DType::F32 ? 32 : 64;

    template <typename Pair>
    static __device__ __forceinline__ std::uint32_t bitsOf(const Pair &pair)
    {
        return *reinterpret_cast<const std::uint32_t *>(&pair);
    }
};

/// d[16, 8] += a[16, 16] · b[16, 8] of halves or bfloat16.
template <bool halves>
__device__ __forceinline__ void multiplyTile(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                             std::uint32_t b1)
{
    if constexpr (halves)
        asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
            "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
    else
        asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
            "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// Takes the leading bits of two numbers as bfloat16 and leaves the rest.
__device__ __forceinline__ std::uint32_t takeBf16(float &low, float &high)
{
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    const float2 taken = __bfloat1622float2(pair);
    low -= taken.x;
    high -= taken.y;
    return *reinterpret_cast<const std::uint32_t *>(&pair);
}

/// d += the step's products with what one lane address of SplitTokens has. Which number of a row meets which
/// of a product's columns does not matter, as long as both sides agree: a lane gives its own neighbours.
template <DType dtype>
__device__ __forceinline__ void multiplyStep(float (&d)[4], const uint4 &upper, const uint4 &lower,
                                             const std::byte *x)
{
    const std::uint32_t u[4] = {upper.x, upper.y, upper.z, upper.w};
    const std::uint32_t l[4] = {lower.x, lower.y, lower.z, lower.w};
    if constexpr (dtype == DType::F8E4M3) {
        const uint4 first = *reinterpret_cast<const uint4 *>(x);
        const uint4 second = *reinterpret_cast<const uint4 *>(x + 16);
        const std::uint32_t b[8] = {first.x,  first.y,  first.z,  first.w,
                                    second.x, second.y, second.z, second.w};
#pragma unroll
        for (int j = 0; j < 4; ++j)
            multiplyTile<true>(d,
                               {widenE4m3ToHalves(u[j]), widenE4m3ToHalves(l[j]),
                                widenE4m3ToHalves(u[j] >> 16U), widenE4m3ToHalves(l[j] >> 16U)},
                               b[2 * j], b[2 * j + 1]);
    } else if constexpr (dtype == DType::F32) {
        const uint2 b = *reinterpret_cast<const uint2 *>(x);
        float fu[4];
        float fl[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            fu[i] = __uint_as_float(u[i]);
            fl[i] = __uint_as_float(l[i]);
        }
#pragma unroll
        for (int part = 0; part < 3; ++part)
            multiplyTile<false>(d,
                                {takeBf16(fu[0], fu[1]), takeBf16(fl[0], fl[1]), takeBf16(fu[2], fu[3]),
                                 takeBf16(fl[2], fl[3])},
                                b.x, b.y);
    } else {
        const uint4 b = *reinterpret_cast<const uint4 *>(x);
        multiplyTile<dtype == DType::F16>(d, {u[0], l[0], u[1], l[1]}, b.x, b.y);
        multiplyTile<dtype == DType::F16>(d, {u[2], l[2], u[3], l[3]}, b.z, b.w);
    }
}

/// Adds a step's products, as the slot of the ring has them, to sums. `low`: where wide, the lane's address
/// of the second parts.
template <DType dtype, bool wide>
__device__ __forceinline__ void addStep(float (&sums)[4], const WeightRing<dtype> &ring, int slot,
                                        const std::byte *x, const std::byte *low)
{
    if constexpr (dtype == DType::F8E4M3) {
        float d[4] = {};
        multiplyStep<dtype>(d, ring.upper[slot], ring.lower[slot], x);
        if constexpr (wide)
            multiplyStep<dtype>(d, ring.upper[slot], ring.lower[slot], low);
        sums[0] = fmaf(d[0], ring.upperScale[slot] * e4m3Factor, sums[0]);
        sums[1] = fmaf(d[1], ring.upperScale[slot] * e4m3Factor, sums[1]);
        sums[2] = fmaf(d[2], ring.lowerScale[slot] * e4m3Factor, sums[2]);
        sums[3] = fmaf(d[3], ring.lowerScale[slot] * e4m3Factor, sums[3]);
    } else {
        multiplyStep<dtype>(sums, ring.upper[slot], ring.lower[slot], x);
        if constexpr (wide)
            multiplyStep<dtype>(sums, ring.upper[slot], ring.lower[slot], low);
    }
}

/// A warp's share of the steps of each tile.
struct StepRange {
    int begin;
    int count;

    __device__ __forceinline__ explicit StepRange(int steps)
    {
        const int warps = static_cast<int>(blockDim.x) / 32;
        begin = steps * warpOf() / warps;
        count = steps * (warpOf() + 1) / warps - begin;
    }
};

/// What the warps of a block have of a tile, until it is added up. Two tiles, so that the next may be written
/// while one is read.
template <bool wide>
struct TileParts {
    float values[2][decodeMaxWarps][tileRows][tokenColumns<wide>];

    __device__ __forceinline__ void publish(int buffer, const float (&sums)[4])
    {
        auto &mine = values[buffer][warpOf()];
        const int row = laneOf() / 4;
        const int column = laneOf() % 4;
        if constexpr (wide) {
            mine[row][2 * column] = sums[0];
            mine[row][2 * column + 1] = sums[1];
            mine[row + 8][2 * column] = sums[2];
            mine[row + 8][2 * column + 1] = sums[3];
        } else {
            mine[row][column] = sums[0] + sums[1];
            mine[row + 8][column] = sums[2] + sums[3];
        }
    }

    [[nodiscard]] __device__ __forceinline__ float sum(int buffer, int row, int token) const
    {
        float sum = 0;
#pragma unroll 4
        for (int warp = 0; warp < static_cast<int>(blockDim.x) / 32; ++warp)
            sum += values[buffer][warp][row][token];
        return sum;
    }
};

/// Tiles first, first + stride, … below `count`, one after the other. rowsOf(tile) names the lane's rows;
/// take(tile, buffer) is called by all threads when the parts of a tile are there. The ring's first steps
/// have been requested by requestFirst().
template <DType dtype, bool wide, typename RowsOf>
struct TileProduct {
    WeightRing<dtype> ring;
    StepRange range;
    int rowBytes;
    const RowsOf &rowsOf;

    __device__ __forceinline__ TileProduct(int columns, const RowsOf &rows)
        : range((columns + stepColumns<dtype> - 1) / stepColumns<dtype>)
        , rowBytes(rowBytesOf<dtype>(columns))
        , rowsOf(rows)
    {
    }

    __device__ __forceinline__ void requestFirst(int tile)
    {
        const LaneRows rows = rowsOf(tile);
#pragma unroll
        for (int slot = 0; slot < stepsInFlight; ++slot)
            ring.request(slot, rows, range.begin + slot, slot < range.count ? rowBytes : 0);
    }

    template <typename Take>
    __device__ __forceinline__ void run(const SplitTokens<dtype> &x, int tokens, TileParts<wide> &parts,
                                        int first, int stride, int count, const Take &take)
    {
        const std::byte *mine = x.template ofLane<wide>(tokens) + range.begin * stepColumns<dtype> * 2;
        if (first >= count)
            return;
        int buffer = 0;
        LaneRows rows = rowsOf(first);
        for (int tile = first; tile < count; tile += stride) {
            const bool last = tile + stride >= count;
            const LaneRows next = rowsOf(last ? tile : tile + stride);
            float sums[4] = {};
            for (int step = 0; step < range.count; step += stepsInFlight) {
                const bool more = step + stepsInFlight < range.count;
                const LaneRows from = choose(more, rows, next);
                const int fromStep = more ? step + stepsInFlight : 0;
#pragma unroll
                for (int slot = 0; slot < stepsInFlight; ++slot) {
                    const std::byte *at = mine + (step + slot) * stepColumns<dtype> * 2;
                    if (step + slot < range.count)
                        addStep<dtype, wide>(sums, ring, slot, at, at + x.stride);
                    ring.request(slot, from, range.begin + fromStep + slot,
                                 (more || !last) && fromStep + slot < range.count ? rowBytes : 0);
                }
            }
            parts.publish(buffer, sums);
            __syncthreads();
            take(tile, buffer);
            buffer ^= 1;
            rows = next;
        }
    }
};

/// Sum over the block, for every thread. `sums` must not be in use.
__device__ __forceinline__ float blockSum(float (&sums)[decodeMaxWarps], float value)
{
    value = warpSum(value);
    if (laneOf() == 0)
        sums[warpOf()] = value;
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < static_cast<int>(blockDim.x) / 32; ++i)
        sum += sums[i];
    return sum;
}

/// Tokens of x [tokens, columns] into shared memory. Synchronise before use.
template <typename Tokens>
__device__ __forceinline__ void stageTokens(const Tokens &to, const float *x, int columns, int tokens)
{
#pragma unroll 1
    for (int t = 0; t < tokens; ++t)
#pragma unroll 2
        for (int i = 4 * static_cast<int>(threadIdx.x); i < to.columns();
             i += 4 * static_cast<int>(blockDim.x))
            to.store(t, i,
                     i < columns ? __ldcg(
                         reinterpret_cast<const float4 *>(x + static_cast<std::int64_t>(t) * columns + i))
                                 : float4{});
}

/// RMS norm of tokens on their way to shared memory. Its weights are asked for when it is made, which can be
/// before the kernel waits. Up to 4 * kept * blockDim.x columns: each thread keeps its own in registers
/// between their sum and their use.
template <int kept = 4>
class Normaliser {
public:
    __device__ __forceinline__ Normaliser(const float *weights, int columns)
        : m_columns(columns)
    {
#pragma unroll
        for (int i = 0; i < kept; ++i) {
            m_weights[i] = float4{};
            if (weights && columnOf(i) < columns)
                m_weights[i] = __ldg(reinterpret_cast<const float4 *>(weights + columnOf(i)));
        }
    }

    /// Tokens of x [tokens, columns] as x / sqrt(mean(x²) + epsilon) * weights. Synchronise before use.
    template <typename Tokens>
    __device__ __forceinline__ void stage(const Tokens &to, const float *x, float epsilon, int tokens) const
    {
        __shared__ float sums[decodeMaxTokens][decodeMaxWarps];
#pragma unroll 1
        for (int t = 0; t < tokens; ++t) {
            const float *from = x + static_cast<std::int64_t>(t) * m_columns;
            float4 values[kept];
            float squares = 0;
#pragma unroll
            for (int i = 0; i < kept; ++i) {
                values[i] = float4{};
                if (columnOf(i) < m_columns)
                    values[i] = __ldcg(reinterpret_cast<const float4 *>(from + columnOf(i)));
            }
#pragma unroll
            for (int i = 0; i < kept; ++i)
                squares += values[i].x * values[i].x + values[i].y * values[i].y + values[i].z * values[i].z
                    + values[i].w * values[i].w;
            const float f = rsqrtf(blockSum(sums[t], squares) / static_cast<float>(m_columns) + epsilon);
#pragma unroll
            for (int i = 0; i < kept; ++i) {
                if (columnOf(i) >= to.columns())
                    break;
                const float4 &w = m_weights[i];
                to.store(t, columnOf(i),
                         {values[i].x * f * w.x, values[i].y * f * w.y, values[i].z * f * w.z,
                          values[i].w * f * w.w});
            }
        }
    }

private:
    [[nodiscard]] static __device__ __forceinline__ int columnOf(int i)
    {
        return 4 * (static_cast<int>(threadIdx.x) + i * static_cast<int>(blockDim.x));
    }

    int m_columns;
    float4 m_weights[kept];
};

} // namespace bathyscope::kernels::cuda

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Products of packed weights with a few tokens' activations on tensor cores: sixteen rows of weights are the
// rows of products of small integers, the tokens' digits are the columns. A warp has its own ring of chunks
// in shared memory, which are copied as they lie in memory, whatever they begin at.
#pragma once

#include "kernels/cuda/packed_tokens.cuh"

namespace bathyscope::kernels::cuda {

/// d[16, 8] += a[16, 32] · b[32, 8] of small integers.
__device__ __forceinline__ void multiplyIntegers(int (&d)[4], const PackedGroup &upper,
                                                 const PackedGroup &lower, const uint2 &b)
{
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
        : "r"(upper.quants[0]), "r"(lower.quants[0]), "r"(upper.quants[1]), "r"(lower.quants[1]), "r"(b.x),
          "r"(b.y));
}

/// d[16, 8] += a[16, 16] · b[16, 8] likewise.
__device__ __forceinline__ void multiplyIntegers(int (&d)[4], std::uint32_t upper, std::uint32_t lower,
                                                 std::uint32_t b)
{
    asm("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 "
        "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
        : "r"(upper), "r"(lower), "r"(b));
}

/// Products of 32 columns: of each half where halves have scales of their own, else of both in the first.
template <typename Type>
struct GroupProducts {
    static constexpr int parts = Type::twoScales ? 2 : 1;
    int sums[parts][4] = {};

    __device__ __forceinline__ void add(const PackedGroup &upper, const PackedGroup &lower, const uint2 &b)
    {
        if constexpr (Type::twoScales) {
            multiplyIntegers(sums[0], upper.quants[0], lower.quants[0], b.x);
            multiplyIntegers(sums[1], upper.quants[1], lower.quants[1], b.y);
        } else {
            multiplyIntegers(sums[0], upper, lower, b);
        }
    }
};

/// sums += what products come to with the rows' scales and the tokens'. Not wide: digits stand in
/// neighbouring columns, and sums[0] and sums[2] are a token's.
template <typename Type, bool wide>
__device__ __forceinline__ void addProducts(float (&sums)[4], const GroupProducts<Type> &high,
                                            const GroupProducts<Type> &low, const PackedGroup &upper,
                                            const PackedGroup &lower, const float4 *groups)
{
    constexpr int unit = static_cast<int>(QuantisedTokens::unit);
#pragma unroll
    for (int part = 0; part < GroupProducts<Type>::parts; ++part)
#pragma unroll
        for (int i = 0; i < 4; i += wide ? 1 : 2) {
            const PackedGroup &row = i < 2 ? upper : lower;
            const float4 &token = groups[wide ? i % 2 : 0];
            const int product =
                high.sums[part][i] * unit + (wide ? low.sums[part][i] : high.sums[part][i + 1]);
            sums[i] = fmaf(row.scales[part] * token.x, static_cast<float>(product), sums[i]);
            if constexpr (Type::hasOffsets)
                sums[i] = fmaf(row.offsets[part],
                               !Type::twoScales ? token.y + token.z
                                   : part == 0  ? token.y
                                                : token.z,
                               sums[i]);
        }
}

/// sums += a chunk of 16 rows, of which the lane holds parts of two, with `count` groups of 32 in it.
template <DType dtype, int width>
__device__ __forceinline__ void multiplyChunk(float (&sums)[4], const PackedBytes &upperRow,
                                              const PackedBytes &lowerRow, const ChunkOperand<width> &x,
                                              int count)
{
    using Type = Packed<dtype>;
    constexpr int groups = packedChunk(dtype) / packedGroup;
    constexpr bool wide = isWide<width>;
    const typename Type::Header upperHeader(upperRow);
    const typename Type::Header lowerHeader(lowerRow);
    const int lane = laneOf() % 4;
    // Not further unrolled: instructions that are not in the cache yet cost more than the loop.
#pragma unroll 2
    for (int g = 0; g < groups; ++g) {
        if (groups < packedMaxChunk / packedGroup && g >= count)
            break;
        const PackedGroup upper = Type::group(upperHeader, upperRow, g, lane);
        const PackedGroup lower = Type::group(lowerHeader, lowerRow, g, lane);
        GroupProducts<Type> high;
        GroupProducts<Type> low;
        high.add(upper, lower, *reinterpret_cast<const uint2 *>(x.high + g * packedGroup));
        if constexpr (wide)
            low.add(upper, lower, *reinterpret_cast<const uint2 *>(x.low + g * packedGroup));
        float4 tokens[wide ? 2 : 1];
#pragma unroll
        for (int i = 0; i < (wide ? 2 : 1); ++i)
            tokens[i] = x.groups[i][g];
        addProducts<Type, wide>(sums, high, low, upper, lower, tokens);
    }
}

/// The same for one token. Four groups have columns of their own, in which the others meet zeros: what then
/// is done with the sums, a lane does for one group, not for all. A lane's sums are those of its groups.
template <DType dtype>
__device__ __forceinline__ void multiplyChunkByOne(float (&sums)[4], const PackedBytes &upperRow,
                                                   const PackedBytes &lowerRow, const ChunkOperand<1> &x,
                                                   int count)
{
    using Type = Packed<dtype>;
    const typename Type::Header upperHeader(upperRow);
    const typename Type::Header lowerHeader(lowerRow);
    const int lane = laneOf() % 4;
#pragma unroll 1
    for (int first = 0; first < packedChunk(dtype) / packedGroup; first += 4) {
        GroupProducts<Type> products;
        const auto own = *reinterpret_cast<const uint2 *>(x.high + first * packedGroup);
#pragma unroll
        for (int i = 0; i < 4; ++i)
            products.add(Type::group(upperHeader, upperRow, first + i, lane),
                         Type::group(lowerHeader, lowerRow, first + i, lane),
                         laneOf() / 8 == i ? own : uint2{});
        if (first + lane < count)
            addProducts<Type, false>(
                sums, products, products, Type::group(upperHeader, upperRow, first + lane, lane),
                Type::group(lowerHeader, lowerRow, first + lane, lane), x.groups[0] + first);
    }
}

__device__ __forceinline__ int packedChunks(const DeviceMatrix &m)
{
    const int size = packedChunk(m.dtype);
    return (m.columns + size - 1) / size;
}

__device__ __forceinline__ std::int64_t packedRowBytes(DType dtype, int columns)
{
    return columns / packedGroup * packedBytesOfChunk(dtype) / (packedChunk(dtype) / packedGroup);
}

/// A lane's two rows of a packed matrix.
struct PackedRows {
    const std::uint8_t *upper;
    const std::uint8_t *lower;
    DType dtype;
    int columns;
    int chunkBytes;

    /// Rows `row` of two matrices of `rows` rows, which may be one, and `apart` more of the second.
    __device__ __forceinline__ PackedRows(const void *first, const void *second, DType type, int width,
                                          int row, int apart, int rows)
        : dtype(type)
        , columns(width)
        , chunkBytes(packedBytesOfChunk(type))
    {
        const std::int64_t bytes = packedRowBytes(type, width);
        upper = static_cast<const std::uint8_t *>(first) + min(row, rows - 1) * bytes;
        lower = static_cast<const std::uint8_t *>(second) + min(row + apart, rows - 1) * bytes;
    }

    /// Groups of a chunk that are there.
    [[nodiscard]] __device__ __forceinline__ int groups(int chunk) const
    {
        const int size = packedChunk(dtype);
        return min(size, columns - chunk * size) / packedGroup;
    }
};

/// A warp's chunks on their way. Each lane copies parts of its own two rows; what four lanes copied together
/// they read in take().
class ChunkRing {
public:
    __device__ __forceinline__ ChunkRing(std::uint8_t *memory, const PackedMemory &shape)
        : m_memory(memory + warpOf() * shape.stages * shape.stageBytes)
        , m_stages(shape.stages)
        , m_stageBytes(shape.stageBytes)
        , m_upper(laneOf() / 4 * (shape.stageBytes / tileRows))
    {
    }

    /// Asks for a chunk of both rows; for nothing without `rows`.
    __device__ __forceinline__ void request(const PackedRows *rows, int chunk)
    {
        if (rows) {
            const int bytes =
                rows->groups(chunk) * rows->chunkBytes / (packedChunk(rows->dtype) / packedGroup);
            const int at = chunk * rows->chunkBytes;
            std::uint8_t *to = m_memory + m_next * m_stageBytes + m_upper;
            copyRow(to, rows->upper + at, bytes);
            copyRow(to + m_stageBytes / 2, rows->lower + at, bytes);
        }
        commitCopies();
        m_next = m_next + 1 == m_stages ? 0 : m_next + 1;
    }

    /// Waits for the chunk that was asked for first and calls work(upper row, lower row).
    template <typename Work>
    __device__ __forceinline__ void take(const PackedRows &rows, int chunk, const Work &work)
    {
        if (m_stages == 2)
            waitForCopies<1>();
        else
            waitForCopies<2>();
        __syncwarp();
        const int at = chunk * rows.chunkBytes;
        const int stage = m_oldest * m_stageBytes + m_upper;
        work(PackedBytes{m_memory, stage + offsetOf(rows.upper + at)},
             PackedBytes{m_memory, stage + m_stageBytes / 2 + offsetOf(rows.lower + at)});
        __syncwarp();
        m_oldest = m_oldest + 1 == m_stages ? 0 : m_oldest + 1;
    }

    /// Chunks that are asked for ahead of the one that is taken.
    [[nodiscard]] __device__ __forceinline__ int ahead() const { return m_stages - 1; }

private:
    /// Bytes behind a multiple of 16.
    [[nodiscard]] static __device__ __forceinline__ int offsetOf(const std::uint8_t *from)
    {
        return static_cast<int>(reinterpret_cast<std::uintptr_t>(from) & 15U);
    }
    static __device__ __forceinline__ void copyRow(std::uint8_t *to, const std::uint8_t *from, int bytes)
    {
        const int offset = offsetOf(from);
#pragma unroll 1
        for (int at = laneOf() % 4 * 16; at < offset + bytes; at += 64)
            copyAsync16(sharedAddress(to + at), from - offset + at, 16);
    }

    std::uint8_t *m_memory;
    int m_stages;
    int m_stageBytes;
    int m_upper; ///< the lane's first row in a stage; the second is half a stage behind
    int m_next = 0;
    int m_oldest = 0;
};

/// Tiles first, first + stride, … below `count`, one after the other, the warps sharing the chunks of each.
/// `Source`: steps(tile) chunks belong to a tile, chunk(step) is the number of one in its matrix, rows(tile,
/// step) are the lane's rows there, operand<width>(tile, step) is what it meets.
template <int width, typename Source>
class PackedProduct {
public:
    __device__ __forceinline__ PackedProduct(const Source &source, const ChunkRing &ring, int count)
        : m_source(source)
        , m_ring(ring)
        , m_count(count)
        , m_tile(static_cast<int>(blockIdx.x))
        , m_rows(nullptr, nullptr, DType::Q8_0, 0, 0, 0, 1)
    {
        enterTile();
    }

    /// Asks for the first chunks.
    __device__ __forceinline__ void begin()
    {
#pragma unroll 1
        for (int i = 0; i < m_ring.ahead(); ++i)
            requestNext();
    }

    template <typename Take>
    __device__ __forceinline__ void run(TileParts<isWide<width>> &parts, const Take &take)
    {
        int buffer = 0;
        PackedRows rows = m_rows;
#pragma unroll 1
        for (int tile = static_cast<int>(blockIdx.x); tile < m_count; tile += static_cast<int>(gridDim.x)) {
            const StepRange range(m_source.steps(tile));
            float sums[4] = {};
#pragma unroll 1
            for (int step = range.begin; step < range.begin + range.count; ++step) {
                requestNext();
                const int chunk = m_source.chunk(step);
                if (step == range.begin || chunk == 0)
                    rows = m_source.rows(tile, step);
                multiply(sums, rows, chunk, m_source.template operand<width>(tile, step));
            }
            if constexpr (width == 1)
                addLanes(sums);
            parts.publish(buffer, sums);
            __syncthreads();
            take(tile, buffer);
            buffer ^= 1;
        }
    }

private:
    __device__ __forceinline__ void multiply(float (&sums)[4], const PackedRows &rows, int chunk,
                                             const ChunkOperand<width> &x)
    {
        const int groups = rows.groups(chunk);
        m_ring.take(rows, chunk, [&](const PackedBytes &upper, const PackedBytes &lower) {
            withPackedType(rows.dtype, [&]<DType dtype>() {
                if constexpr (width == 1)
                    multiplyChunkByOne<dtype>(sums, upper, lower, x, groups);
                else
                    multiplyChunk<dtype, width>(sums, upper, lower, x, groups);
            });
        });
    }

    /// The sums of a row's four lanes together.
    static __device__ __forceinline__ void addLanes(float (&sums)[4])
    {
#pragma unroll
        for (int distance = 1; distance < 4; distance *= 2) {
            sums[0] += __shfl_xor_sync(0xFFFFFFFFU, sums[0], distance);
            sums[2] += __shfl_xor_sync(0xFFFFFFFFU, sums[2], distance);
        }
    }

    /// To the first of the warp's chunks from m_tile on.
    __device__ __forceinline__ void enterTile()
    {
        m_fresh = true;
#pragma unroll 1
        for (; m_tile < m_count; m_tile += static_cast<int>(gridDim.x)) {
            const StepRange range(m_source.steps(m_tile));
            m_step = range.begin;
            m_end = range.begin + range.count;
            if (range.count > 0)
                return;
        }
    }

    __device__ __forceinline__ void requestNext()
    {
        if (m_tile >= m_count) {
            m_ring.request(nullptr, 0);
            return;
        }
        const int chunk = m_source.chunk(m_step);
        if (m_fresh || chunk == 0)
            m_rows = m_source.rows(m_tile, m_step);
        m_fresh = false;
        m_ring.request(&m_rows, chunk);
        if (++m_step == m_end) {
            m_tile += static_cast<int>(gridDim.x);
            enterTile();
        }
    }

    const Source &m_source;
    ChunkRing m_ring;
    int m_count;
    int m_tile; ///< of the chunk that is asked for next
    int m_step = 0;
    int m_end = 0;
    bool m_fresh = true; ///< m_rows are another tile's
    PackedRows m_rows;
};

} // namespace bathyscope::kernels::cuda

// SPDX-License-Identifier: GPL-3.0-or-later
//
// The products of a decoding step with GGUF's packed types: projections, and feed-forward blocks with or
// without experts. Matrices of different types can stand side by side.
#include "kernels/cuda/packed_tiles.cuh"

namespace bathyscope::kernels::cuda {

namespace {

constexpr int pairsOfTile = 8; ///< rows of gate_proj in the upper half of a tile, of up_proj in the lower

/// Columns of a normalised token up to 8,192.
constexpr int keptColumns = 8;

/// Up to three matrices side by side.
struct ProjectSource {
    const ProjectParams &p;
    const QuantisedTokens &x;
    int secondTile;
    int thirdTile;
    int tiles;

    __device__ __forceinline__ ProjectSource(const ProjectParams &params, const QuantisedTokens &tokens)
        : p(params)
        , x(tokens)
        , secondTile((p.first.rows + tileRows - 1) / tileRows)
        , thirdTile(secondTile + (p.second.rows + tileRows - 1) / tileRows)
        , tiles(thirdTile + (p.third.rows + tileRows - 1) / tileRows)
    {
    }

    template <typename T>
    [[nodiscard]] __device__ __forceinline__ T choose(int tile, T first, T second, T third) const
    {
        return tile < secondTile ? first : tile < thirdTile ? second : third;
    }
    [[nodiscard]] __device__ __forceinline__ int firstRow(int tile) const
    {
        return (tile - choose(tile, 0, secondTile, thirdTile)) * tileRows;
    }
    [[nodiscard]] __device__ __forceinline__ int rowsOf(int tile) const
    {
        return choose(tile, p.first.rows, p.second.rows, p.third.rows);
    }
    [[nodiscard]] __device__ __forceinline__ DType typeOf(int tile) const
    {
        return choose(tile, p.first.dtype, p.second.dtype, p.third.dtype);
    }

    [[nodiscard]] __device__ __forceinline__ int steps(int tile) const
    {
        const int size = packedChunk(typeOf(tile));
        return (p.first.columns + size - 1) / size;
    }
    [[nodiscard]] __device__ __forceinline__ int chunk(int step) const { return step; }
    [[nodiscard]] __device__ __forceinline__ PackedRows rows(int tile, int /*step*/) const
    {
        const void *data = choose(tile, p.first.data, p.second.data, p.third.data);
        return {data, data, typeOf(tile), p.first.columns, firstRow(tile) + laneOf() / 4, 8, rowsOf(tile)};
    }
    template <int width>
    [[nodiscard]] __device__ __forceinline__ ChunkOperand<width> operand(int tile, int step) const
    {
        const int column = step * packedChunk(typeOf(tile));
        return operandOf<width>(x, p.tokens, [&](int /*token*/) { return column; });
    }
};

template <int width>
__device__ __forceinline__ void project(const PackedProjectParams &all)
{
    extern __shared__ __align__(16) std::uint8_t shared[];
    __shared__ TileParts<isWide<width>> parts;
    const ProjectParams &p = all.product;
    const QuantisedTokens x(shared, p.first.columns, p.tokens);
    const ProjectSource source(p, x);
    PackedProduct<width, ProjectSource> product(source, ChunkRing(x.end(), all.memory), source.tiles);
    product.begin();
    const Normaliser<keptColumns> normaliser(p.norm, p.norm ? p.first.columns : 0);
    waitForKernelBefore();
    if (p.norm)
        normaliser.stage(x, p.x, p.epsilon, p.tokens);
    else
        stageRows(x, p.x, p.first.columns, p.tokens);
    __syncthreads();
    product.run(parts, [&](int tile, int buffer) {
        const int token = static_cast<int>(threadIdx.x) / tileRows;
        const int row = source.firstRow(tile) + static_cast<int>(threadIdx.x) % tileRows;
        const int rows = source.rowsOf(tile);
        if (token >= p.tokens || row >= rows)
            return;
        float *out = source.choose(tile, p.firstOut, p.secondOut, p.thirdOut)
            + static_cast<std::int64_t>(token) * rows + row;
        *out =
            parts.sum(buffer, static_cast<int>(threadIdx.x) % tileRows, token) + (p.add ? __ldcg(out) : 0.0F);
    });
}

/// Gate and up projections: of what all tokens share first, then of the chosen experts.
struct ActivateSource {
    const FeedForwardParams &p;
    const QuantisedTokens &x;
    const RoutingTable &routing;
    int sharedTiles;
    int expertTiles; ///< of one expert

    __device__ __forceinline__ ActivateSource(const FeedForwardParams &params, const QuantisedTokens &tokens,
                                              const RoutingTable &table)
        : p(params)
        , x(tokens)
        , routing(table)
        , sharedTiles((p.gate.rows + pairsOfTile - 1) / pairsOfTile)
        , expertTiles(max(1, (p.expertGate.first.rows + pairsOfTile - 1) / pairsOfTile))
    {
    }

    [[nodiscard]] __device__ __forceinline__ bool isShared(int tile) const { return tile < sharedTiles; }
    /// Of a tile among the experts'.
    [[nodiscard]] __device__ __forceinline__ int place(int tile) const
    {
        return (tile - sharedTiles) / expertTiles;
    }
    [[nodiscard]] __device__ __forceinline__ int firstPair(int tile) const
    {
        return (isShared(tile) ? tile : (tile - sharedTiles) % expertTiles) * pairsOfTile;
    }
    [[nodiscard]] __device__ __forceinline__ DType typeOf(int tile) const
    {
        return isShared(tile) ? p.gate.dtype : p.expertGate.first.dtype;
    }
    [[nodiscard]] __device__ __forceinline__ int rowsOf(int tile) const
    {
        return isShared(tile) ? p.gate.rows : p.expertGate.first.rows;
    }

    [[nodiscard]] __device__ __forceinline__ int steps(int tile) const
    {
        const int size = packedChunk(typeOf(tile));
        return (p.hidden + size - 1) / size;
    }
    [[nodiscard]] __device__ __forceinline__ int chunk(int step) const { return step; }
    [[nodiscard]] __device__ __forceinline__ PackedRows rows(int tile, int /*step*/) const
    {
        const bool shared = isShared(tile);
        const int expert = shared ? 0 : routing.expertOf[place(tile)];
        const void *gate = static_cast<const std::byte *>(shared ? p.gate.data : p.expertGate.first.data)
            + expert * p.expertGate.dataStride;
        const void *up = static_cast<const std::byte *>(shared ? p.up.data : p.expertUp.first.data)
            + expert * p.expertUp.dataStride;
        return {gate, up, typeOf(tile), p.hidden, firstPair(tile) + laneOf() / 4, 0, rowsOf(tile)};
    }
    template <int width>
    [[nodiscard]] __device__ __forceinline__ ChunkOperand<width> operand(int tile, int step) const
    {
        const int column = step * packedChunk(typeOf(tile));
        return operandOf<width>(x, p.tokens, [&](int /*token*/) { return column; });
    }
};

/// The choice of experts, which the router's kernel made.
__device__ __forceinline__ void loadRouting(RoutingTable &routing, const FeedForwardParams &p)
{
    static_assert(sizeof(RoutingTable) % 4 == 0);
    for (unsigned i = threadIdx.x; i < sizeof(RoutingTable) / 4; i += blockDim.x)
        reinterpret_cast<std::uint32_t *>(&routing)[i] =
            p.chosen > 0 ? __ldcg(reinterpret_cast<const std::uint32_t *>(p.routing) + i) : 0U;
    __syncthreads();
}

/// activations = silu(gate) * up of every block that a token goes through, times the weight of its expert.
template <int width>
__device__ __forceinline__ void activate(const PackedFeedForwardParams &all)
{
    extern __shared__ __align__(16) std::uint8_t shared[];
    __shared__ TileParts<isWide<width>> parts;
    __shared__ RoutingTable routing;
    const FeedForwardParams &p = all.block;
    const QuantisedTokens x(shared, p.hidden, p.tokens);
    const ActivateSource source(p, x, routing);
    const Normaliser<keptColumns> normaliser(p.norm, p.hidden);
    if (p.chosen > 0) // the choice comes from the kernel before
        waitForKernelBefore();
    loadRouting(routing, p);
    PackedProduct<width, ActivateSource> product(source, ChunkRing(x.end(), all.memory),
                                                 source.sharedTiles + routing.count * source.expertTiles);
    product.begin();
    if (p.chosen == 0)
        waitForKernelBefore();
    normaliser.stage(x, p.x, p.epsilon, p.tokens);
    __syncthreads();
    product.run(parts, [&](int tile, int buffer) {
        const int token = static_cast<int>(threadIdx.x) / pairsOfTile;
        const int pair = static_cast<int>(threadIdx.x) % pairsOfTile;
        const int row = source.firstPair(tile) + pair;
        if (token >= p.tokens || row >= source.rowsOf(tile))
            return;
        const bool isShared = source.isShared(tile);
        const int slot = isShared ? p.chosen : routing.slotOf[source.place(tile)][p.firstToken + token];
        if (slot < 0)
            return;
        const float weight = isShared ? 1.0F : routing.choices[p.firstToken + token][slot].weight;
        const float gate = parts.sum(buffer, pair, token);
        const float up = parts.sum(buffer, pair + pairsOfTile, token);
        p.activations[static_cast<std::int64_t>(token) * p.activationStride + slot * p.expertGate.first.rows
                      + row] = gate / (1.0F + expf(-gate)) * up * weight;
    });
}

/// Down projections of all experts that some token chose, one after the other, then of what all share.
struct JoinSource {
    const FeedForwardParams &p;
    const QuantisedTokens &x;
    const RoutingTable &routing;
    int expertSteps; ///< chunks of one expert
    int sharedSteps;

    __device__ __forceinline__ JoinSource(const FeedForwardParams &params, const QuantisedTokens &tokens,
                                          const RoutingTable &table)
        : p(params)
        , x(tokens)
        , routing(table)
        , expertSteps(chunksOf(p.expertDown.first))
        , sharedSteps(chunksOf(p.down))
    {
    }

    static __device__ __forceinline__ int chunksOf(const DeviceMatrix &m)
    {
        return m.rows > 0 ? packedChunks(m) : 0;
    }
    [[nodiscard]] __device__ __forceinline__ int place(int step) const
    {
        return expertSteps > 0 ? min(step / expertSteps, routing.count) : 0;
    }

    [[nodiscard]] __device__ __forceinline__ int steps(int /*tile*/) const
    {
        return routing.count * expertSteps + sharedSteps;
    }
    [[nodiscard]] __device__ __forceinline__ int chunk(int step) const
    {
        return step - place(step) * expertSteps;
    }
    [[nodiscard]] __device__ __forceinline__ PackedRows rows(int tile, int step) const
    {
        const bool shared = place(step) == routing.count;
        const int expert = shared ? 0 : routing.expertOf[place(step)];
        const void *down = static_cast<const std::byte *>(shared ? p.down.data : p.expertDown.first.data)
            + expert * p.expertDown.dataStride;
        return {down,
                down,
                shared ? p.down.dtype : p.expertDown.first.dtype,
                shared ? p.down.columns : p.expertDown.first.columns,
                tile * tileRows + laneOf() / 4,
                8,
                p.hidden};
    }
    template <int width>
    [[nodiscard]] __device__ __forceinline__ ChunkOperand<width> operand(int /*tile*/, int step) const
    {
        const int at = place(step);
        const bool shared = at == routing.count;
        const int column = chunk(step) * packedChunk(shared ? p.down.dtype : p.expertDown.first.dtype);
        return operandOf<width>(x, p.tokens, [&](int token) {
            const int slot = shared ? p.chosen : routing.slotOf[at][p.firstToken + token];
            return slot < 0 ? -1 : slot * p.expertDown.first.columns + column;
        });
    }
};

/// x += Σ down_proj of every block that a token goes through.
template <int width>
__device__ __forceinline__ void join(const PackedFeedForwardParams &all)
{
    extern __shared__ __align__(16) std::uint8_t shared[];
    __shared__ TileParts<isWide<width>> parts;
    __shared__ RoutingTable routing;
    const FeedForwardParams &p = all.block;
    const QuantisedTokens x(shared, all.memory.columns, p.tokens);
    // The router's kernel has ended: it came before the one that this one waits for.
    loadRouting(routing, p);
    const JoinSource source(p, x, routing);
    PackedProduct<width, JoinSource> product(source, ChunkRing(x.end(), all.memory),
                                             (p.hidden + tileRows - 1) / tileRows);
    product.begin();
    x.clearZeros();
    waitForKernelBefore();
    stageRows(x, p.activations, p.activationStride, p.tokens);
    __syncthreads();
    product.run(parts, [&](int tile, int buffer) {
        const int token = static_cast<int>(threadIdx.x) / tileRows;
        const int row = tile * tileRows + static_cast<int>(threadIdx.x) % tileRows;
        if (token >= p.tokens || row >= p.hidden)
            return;
        float *to = p.x + static_cast<std::int64_t>(token) * p.hidden + row;
        *to = __ldcg(to) + parts.sum(buffer, static_cast<int>(threadIdx.x) % tileRows, token);
    });
}

} // namespace

/// NAME_one, NAME_few for up to four tokens, NAME_many for up to eight.
#define BATHYSCOPE_PACKED_KERNEL(name, width, Params, body)                                                  \
    extern "C" __global__ void __launch_bounds__(decodeMaxThreads) name(const __grid_constant__ Params p)    \
    {                                                                                                        \
        body<width>(p);                                                                                      \
    }
#define BATHYSCOPE_PACKED_KERNELS(name, Params, body)                                                        \
    BATHYSCOPE_PACKED_KERNEL(name##_one, 1, Params, body)                                                    \
    BATHYSCOPE_PACKED_KERNEL(name##_few, 4, Params, body)                                                    \
    BATHYSCOPE_PACKED_KERNEL(name##_many, 8, Params, body)
BATHYSCOPE_PACKED_KERNELS(packed_project, PackedProjectParams, project)
BATHYSCOPE_PACKED_KERNELS(packed_activate, PackedFeedForwardParams, activate)
BATHYSCOPE_PACKED_KERNELS(packed_join, PackedFeedForwardParams, join)

} // namespace bathyscope::kernels::cuda

// SPDX-License-Identifier: GPL-3.0-or-later
//
// The feed-forward blocks of a layer for a few tokens: gate and up projections of the chosen experts and of
// what all tokens share, then all down projections with their sum. An expert that several tokens chose is
// read once.
#include "kernels/cuda/decode_tiles.cuh"

namespace bathyscope::kernels::cuda {

namespace {

constexpr int pairsOfTile = 8; ///< rows of gate_proj in the upper half of a tile, of up_proj in the lower

/// What down_proj's inputs are divided by, so that halves can hold them.
constexpr float activationScale = 16.0F;

/// The routing table on its way to shared memory; nobody's in a dense layer.
class TableWords {
public:
    __device__ __forceinline__ explicit TableWords(const FeedForwardParams &p)
    {
#pragma unroll
        for (int i = 0; i < kept; ++i) {
            m_words[i] = 0;
            if (p.chosen > 0 && indexOf(i) < count)
                m_words[i] = __ldcg(reinterpret_cast<const unsigned *>(p.routing) + indexOf(i));
        }
    }

    /// Synchronise before use.
    __device__ __forceinline__ void store(RoutingTable &to) const
    {
#pragma unroll
        for (int i = 0; i < kept; ++i)
            if (indexOf(i) < count)
                reinterpret_cast<unsigned *>(&to)[indexOf(i)] = m_words[i];
    }

private:
    static constexpr int count = sizeof(RoutingTable) / 4;
    static constexpr int kept = (count + decodeThreads - 1) / decodeThreads;

    static __device__ __forceinline__ int indexOf(int i)
    {
        return static_cast<int>(threadIdx.x + i * blockDim.x);
    }

    unsigned m_words[kept];
};

/// activations = silu(gate) * up of every block that a token goes through, times the weight of its expert.
/// The shared rows come first: they can be asked for before the choice is known.
template <DType dtype, bool wide>
__device__ __forceinline__ void activate(const FeedForwardParams &p)
{
    extern __shared__ __align__(16) std::byte shared[];
    __shared__ TileParts<wide> parts;
    __shared__ RoutingTable routing;
    const int rowBytes = rowBytesOf<dtype>(p.hidden);
    const int first = static_cast<int>(blockIdx.x);
    const int sharedTiles = (p.gate.rows + pairsOfTile - 1) / pairsOfTile;
    const int expertTiles = max(1, (p.expertGate.first.rows + pairsOfTile - 1) / pairsOfTile);
    const auto rowsOf = [&](int tile) {
        const bool isShared = tile < sharedTiles;
        const int place = isShared ? 0 : (tile - sharedTiles) / expertTiles;
        const int first = isShared ? 0 : sharedTiles + place * expertTiles; // tile of the block
        const int last = (isShared ? p.gate.rows : p.expertGate.first.rows) - 1;
        const int row = min((tile - first) * pairsOfTile + laneOf() / 4, last);
        const int expert = isShared ? 0 : routing.expertOf[place];
        const auto of = [&](const DeviceMatrix &m, const DeviceExperts &experts) {
            return rowOf(static_cast<const std::byte *>(isShared ? m.data : experts.first.data)
                             + expert * experts.dataStride,
                         (isShared ? m.scales : experts.first.scales) + expert * experts.scaleStride,
                         isShared ? m.scaleColumns : experts.first.scaleColumns, row, rowBytes);
        };
        return LaneRows{of(p.gate, p.expertGate), of(p.up, p.expertUp)};
    };
    TileProduct<dtype, wide, decltype(rowsOf)> product(p.hidden, rowsOf);
    if (first < sharedTiles)
        product.requestFirst(first);
    const Normaliser normaliser(p.norm, p.hidden);
    waitForKernelBefore();
    const TableWords words(p);
    const SplitTokens<dtype> x(shared, p.hidden);
    normaliser.stage(x, p.x, p.epsilon, p.tokens);
    words.store(routing);
    __syncthreads();
    const int tiles = sharedTiles + routing.count * expertTiles;
    if (first >= sharedTiles && first < tiles)
        product.requestFirst(first);
    product.run(x, p.tokens, parts, first, static_cast<int>(gridDim.x), tiles, [&](int tile, int buffer) {
        const int token = static_cast<int>(threadIdx.x) / pairsOfTile;
        if (token >= p.tokens)
            return;
        const int pair = static_cast<int>(threadIdx.x) % pairsOfTile;
        const int inExperts = tile - sharedTiles;
        const bool isShared = inExperts < 0;
        const int place = isShared ? 0 : inExperts / expertTiles;
        const int row = (isShared ? tile : inExperts % expertTiles) * pairsOfTile + pair;
        const int slot = isShared ? p.chosen : routing.slotOf[place][p.firstToken + token];
        if (slot < 0 || row >= (isShared ? p.gate.rows : p.expertGate.first.rows))
            return;
        const float weight = isShared ? 1.0F : routing.choices[p.firstToken + token][slot].weight;
        const float gate = parts.sum(buffer, pair, token);
        const float up = parts.sum(buffer, pair + pairsOfTile, token);
        p.activations[static_cast<std::int64_t>(token) * p.activationStride + slot * p.expertGate.first.rows
                      + row] = gate / (1.0F + expf(-gate)) * up * weight;
    });
}

/// The inputs of a token's down projections side by side in shared memory, each of whole steps: its experts',
/// then those of what all tokens share.
template <DType dtype>
struct DownLayout {
    int expertSteps; ///< of one expert
    int sharedSteps;
    int columns; ///< of a token

    __device__ __forceinline__ explicit DownLayout(const FeedForwardParams &p)
        : expertSteps((p.expertDown.first.columns + stepColumns<dtype> - 1) / stepColumns<dtype>)
        , sharedSteps((p.down.columns + stepColumns<dtype> - 1) / stepColumns<dtype>)
        , columns((p.chosen * expertSteps + sharedSteps) * stepColumns<dtype>)
    {
    }
};

template <DType dtype>
__device__ __forceinline__ void stageActivations(const SplitTokens<dtype> &to,
                                                 const DownLayout<dtype> &layout, const FeedForwardParams &p)
{
    const int expertColumns = layout.expertSteps * stepColumns<dtype>;
    for (int t = 0; t < p.tokens; ++t) {
        const float *from = p.activations + static_cast<std::int64_t>(t) * p.activationStride;
#pragma unroll 3
        for (int i = 4 * static_cast<int>(threadIdx.x); i < layout.columns;
             i += 4 * static_cast<int>(blockDim.x)) {
            const int slot = expertColumns > 0 ? min(i / expertColumns, p.chosen) : 0;
            const int column = i - slot * expertColumns;
            const int columns = slot < p.chosen ? p.expertDown.first.columns : p.down.columns;
            float4 v{};
            if (column < columns)
                v = __ldcg(
                    reinterpret_cast<const float4 *>(from + slot * p.expertDown.first.columns + column));
            constexpr float f = 1.0F / activationScale;
            to.store(t, i, {v.x * f, v.y * f, v.z * f, v.w * f});
        }
    }
}

/// Goes through the steps of all down projections that some token needs, one after the other.
template <DType dtype>
class DownCursor {
public:
    __device__ __forceinline__ DownCursor(const FeedForwardParams &p, const RoutingTable &routing,
                                          const DownLayout<dtype> &layout, int row, int step)
        : m_params(p)
        , m_routing(routing)
        , m_layout(layout)
        , m_row(row)
        , m_place(layout.expertSteps > 0 ? min(step / layout.expertSteps, routing.count) : 0)
        , m_step(step - m_place * layout.expertSteps)
    {
        enter();
    }

    /// Asks for the step, and says where in shared memory what this lane multiplies it with lies.
    __device__ __forceinline__ int request(WeightRing<dtype> &ring, int slot, const SplitTokens<dtype> &x,
                                           int lane, int token, int zeros)
    {
        ring.request(slot, m_rows, m_step, m_bytes);
        const bool isShared = m_place == m_routing.count;
        const int slotOfToken =
            isShared ? m_params.chosen : m_routing.slotOf[m_place][m_params.firstToken + token];
        const int step = slotOfToken * m_layout.expertSteps + m_step;
        const int at = slotOfToken < 0 ? zeros : lane + step * stepColumns<dtype> * 2;
        if (++m_step == m_layout.expertSteps && !isShared) {
            ++m_place;
            m_step = 0;
            enter();
        }
        return at;
    }

private:
    __device__ __forceinline__ void enter()
    {
        const DeviceExperts &experts = m_params.expertDown;
        const DeviceMatrix &down = m_params.down;
        const bool isShared = m_place == m_routing.count;
        m_bytes = rowBytesOf<dtype>(isShared ? down.columns : experts.first.columns);
        const int expert = isShared ? 0 : m_routing.expertOf[m_place];
        const auto *data = static_cast<const std::byte *>(isShared ? down.data : experts.first.data)
            + expert * experts.dataStride;
        const float *scales = (isShared ? down.scales : experts.first.scales) + expert * experts.scaleStride;
        const int scaleColumns = isShared ? down.scaleColumns : experts.first.scaleColumns;
        const int row = m_row + laneOf() / 4; // hidden is a multiple of 16
        m_rows = {rowOf(data, scales, scaleColumns, row, m_bytes),
                  rowOf(data, scales, scaleColumns, row + 8, m_bytes)};
    }

    const FeedForwardParams &m_params;
    const RoutingTable &m_routing;
    const DownLayout<dtype> &m_layout;
    int m_row;
    int m_place; ///< among the chosen experts; behind them: shared
    int m_step;
    int m_bytes = 0;
    LaneRows m_rows{};
};

/// x += Σ down_proj of every block that a token goes through: a block takes 16 rows.
template <DType dtype, bool wide>
__device__ __forceinline__ void joinExperts(const FeedForwardParams &p)
{
    extern __shared__ __align__(16) std::byte shared[];
    __shared__ TileParts<wide> parts;
    __shared__ RoutingTable routing;
    const int row = static_cast<int>(blockIdx.x) * tileRows;
    const DownLayout<dtype> layout(p);
    const SplitTokens<dtype> x(shared, layout.columns);
    const int zeros = 2 * p.tokens * x.stride;
    if (threadIdx.x < 8)
        reinterpret_cast<float *>(shared + zeros)[threadIdx.x] = 0;
    // The router's kernel has ended: it came before the one that this one waits for.
    TableWords(p).store(routing);
    __syncthreads();
    const StepRange range(routing.count * layout.expertSteps + layout.sharedSteps);
    const int group = wide ? laneOf() / 4 : laneOf() / 8;
    const int token = group < p.tokens ? group : 0;
    const int lane = static_cast<int>(x.template ofLane<wide>(p.tokens) - shared);
    DownCursor<dtype> cursor(p, routing, layout, row, range.begin);
    WeightRing<dtype> ring;
    int at[stepsInFlight];
#pragma unroll
    for (int slot = 0; slot < stepsInFlight; ++slot)
        if (slot < range.count)
            at[slot] = cursor.request(ring, slot, x, lane, token, zeros);
    waitForKernelBefore();
    stageActivations(x, layout, p);
    __syncthreads();
    float sums[4] = {};
    for (int step = 0; step < range.count; step += stepsInFlight) {
#pragma unroll
        for (int slot = 0; slot < stepsInFlight; ++slot) {
            if (step + slot < range.count)
                addStep<dtype, wide>(sums, ring, slot, shared + at[slot],
                                     shared + at[slot] + (at[slot] == zeros ? 0 : x.stride));
            if (step + slot + stepsInFlight < range.count)
                at[slot] = cursor.request(ring, slot, x, lane, token, zeros);
        }
    }
    parts.publish(0, sums);
    __syncthreads();
    const int rowOfThread = static_cast<int>(threadIdx.x) % tileRows;
    const int tokenOfThread = static_cast<int>(threadIdx.x) / tileRows;
    if (tokenOfThread >= p.tokens || row + rowOfThread >= p.hidden)
        return;
    float *to = p.x + static_cast<std::int64_t>(tokenOfThread) * p.hidden + row + rowOfThread;
    *to = __ldcg(to) + parts.sum(0, rowOfThread, tokenOfThread) * activationScale;
}

} // namespace

BATHYSCOPE_DECODE_KERNELS(decode_activate, FeedForwardParams, activate)
BATHYSCOPE_DECODE_KERNELS(decode_join, FeedForwardParams, joinExperts)

} // namespace bathyscope::kernels::cuda

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Feed-forward of up to eight tokens: the router (DeepSeek-V2, section 2.2; DeepSeek-V3, section 2.1.2), and
// the chosen experts together with the shared ones. An expert that several tokens chose is read once.
#pragma once

#include "kernels/cuda/decode_projection.cuh"

namespace bathyscope::kernels::cuda {

/// What down_proj's inputs are divided by, so that halves can hold them.
constexpr float activationScale = 16.0F;

/// logits[t, e] = W[e] · norm(x[t]): a block a row.
__device__ __noinline__ void routerLogits(const StageContext &c, const DeviceLayer &w)
{
    const int n = w.router.columns;
    for (int e = c.block; e < w.router.rows; e += c.blocks) {
        for (int t = 0; t < c.step.tokens; ++t) {
            const float *x = c.params.buffers.x + static_cast<std::int64_t>(t) * n;
            float squares = 0;
            float sum = 0;
            for (int i = static_cast<int>(threadIdx.x); i < n; i += decodeThreads) {
                const float value = __ldcg(x + i);
                float weight = widen(w.router.data, w.router.dtype, static_cast<std::int64_t>(e) * n + i);
                if (w.router.scales)
                    weight *= w.router.scales[e / 128 * w.router.scaleColumns + i / 128];
                squares += value * value;
                sum += value * w.postAttentionNorm[i] * weight;
            }
            const float2 sums = blockSum(c.state, squares, sum);
            if (threadIdx.x == 0)
                c.params.buffers.routerLogits[t * w.router.rows + e] =
                    sums.y * rsqrtf(sums.x / static_cast<float>(n) + c.params.shape.epsilon);
        }
    }
}

struct Best {
    float value;
    int index;
};

/// Where the largest value of the warp is, the lowest index where some tie.
__device__ __forceinline__ int warpBest(const Best &mine)
{
    const std::uint32_t bits = __float_as_uint(mine.value);
    const std::uint32_t key =
        bits ^ ((bits & 0x80000000U) != 0 ? 0xFFFFFFFFU : 0x80000000U); // orders as floats
    const std::uint32_t best = __reduce_max_sync(0xFFFFFFFFU, key);
    return static_cast<int>(
        __reduce_min_sync(0xFFFFFFFFU, key == best ? static_cast<std::uint32_t>(mine.index) : 0x7FFFFFFFU));
}

/// Scores and ranking of one token's experts; one warp.
__device__ __forceinline__ void scoreExperts(BlockState &state, const DecodeShape &s, const float *logits,
                                             const float *bias)
{
    float maximum = -INFINITY;
    for (int e = laneOf(); e < s.experts; e += warpSize32) {
        state.scores[e] = __ldcg(logits + e);
        maximum = fmaxf(maximum, state.scores[e]);
    }
    maximum = warpMax(maximum);
    float sum = 0;
    for (int e = laneOf(); e < s.experts; e += warpSize32) {
        const float logit = state.scores[e];
        state.scores[e] = s.sigmoid ? 1.0F / (1.0F + expf(-logit)) : expf(logit - maximum);
        sum += state.scores[e];
    }
    sum = warpSum(sum);
    for (int e = laneOf(); e < s.experts; e += warpSize32) {
        if (!s.sigmoid)
            state.scores[e] /= sum;
        state.ranking[e] = state.scores[e] + (bias ? bias[e] : 0.0F);
    }
    __syncwarp();
}

/// Takes the experts of all but the best groups out of the ranking; one warp, a lane a group.
__device__ __forceinline__ void limitToGroups(BlockState &state, const DecodeShape &s)
{
    const int size = s.experts / s.groups;
    float first = -INFINITY;
    float second = -INFINITY;
    if (laneOf() < s.groups)
        for (int e = laneOf() * size; e < (laneOf() + 1) * size; ++e) {
            second = fmaxf(second, fminf(first, state.ranking[e]));
            first = fmaxf(first, state.ranking[e]);
        }
    float worth = laneOf() < s.groups ? (s.sumOfTwo ? first + second : first) : -INFINITY;
    bool kept = false;
    for (int i = 0; i < s.keptGroups; ++i) {
        if (warpBest({worth, laneOf()}) == laneOf()) {
            worth = -INFINITY;
            kept = true;
        }
    }
    __syncwarp();
    if (laneOf() < s.groups && !kept)
        for (int e = laneOf() * size; e < (laneOf() + 1) * size; ++e)
            state.ranking[e] = -INFINITY;
    __syncwarp();
}

/// choices[token]: the best of the ranking by ascending expert, with their weights; one warp.
__device__ __forceinline__ void pickExperts(BlockState &state, const DecodeShape &s, int token)
{
    int chosen = -1; // lane i's: the i-th best
    for (int i = 0; i < s.chosen; ++i) {
        Best best{-INFINITY, decodeMaxExperts};
        for (int e = laneOf(); e < s.experts; e += warpSize32)
            if (state.ranking[e] > best.value)
                best = {state.ranking[e], e};
        const int at = min(warpBest(best), s.experts - 1); // scores that are no numbers
        __syncwarp();
        if (laneOf() == i)
            chosen = at;
        if (laneOf() == 0)
            state.ranking[at] = -INFINITY;
        __syncwarp();
    }
    const bool mine = laneOf() < s.chosen;
    const float score = mine ? state.scores[chosen] : 0.0F;
    const float total = warpSum(score) + 1e-20F;
    int rank = 0;
    for (int i = 0; i < s.chosen; ++i)
        rank += __shfl_sync(0xFFFFFFFFU, chosen, i) < chosen;
    if (mine)
        state.choices[token][rank] = {static_cast<std::uint16_t>(chosen), 0,
                                      score * s.expertFactor / (s.normalise ? total : 1.0F)};
}

/// Every expert that some token chose, once, and its place among each token's choices.
__device__ __forceinline__ void listExperts(BlockState &state, const DecodeShape &s, int tokens)
{
    const int count = tokens * s.chosen;
    const int i = static_cast<int>(threadIdx.x);
    const auto expertAt = [&](int at) { return state.choices[at / s.chosen][at % s.chosen].expert; };
    if (i == 0)
        state.uniqueExperts = 0;
    __syncthreads();
    if (i < count) {
        bool first = true;
        int place = 0;
        for (int j = 0; j < i; ++j) {
            bool firstOfJ = true;
            for (int l = 0; l < j && tokens > 1; ++l)
                firstOfJ = firstOfJ && expertAt(l) != expertAt(j);
            place += firstOfJ;
            first = first && expertAt(j) != expertAt(i);
        }
        if (first) {
            atomicAdd(&state.uniqueExperts, 1);
            state.expertOf[place] = static_cast<short>(expertAt(i));
            for (int t = 0; t < tokens; ++t) {
                signed char slot = -1;
                for (int k = 0; k < s.chosen; ++k)
                    if (state.choices[t][k].expert == expertAt(i))
                        slot = static_cast<signed char>(k);
                state.slotOf[place][t] = slot;
            }
        }
    }
    __syncthreads();
}

/// The choice of experts of all tokens, made by every block for itself; block 0 hands it out.
__device__ __noinline__ void chooseExperts(const StageContext &c, const DeviceLayer &w, DecodeChoice *out)
{
    const DecodeShape &s = c.params.shape;
    if (warpOf() == 0) {
        for (int t = 0; t < c.step.tokens; ++t) {
            scoreExperts(c.state, s, c.params.buffers.routerLogits + t * s.experts, w.correctionBias);
            if (s.keptGroups < s.groups)
                limitToGroups(c.state, s);
            pickExperts(c.state, s, t);
            __syncwarp();
        }
    }
    __syncthreads();
    if (c.block == 0)
        for (int i = static_cast<int>(threadIdx.x); i < c.step.tokens * s.chosen; i += decodeThreads)
            out[i] = c.state.choices[i / s.chosen][i % s.chosen];
    listExperts(c.state, s, c.step.tokens);
}

__device__ __forceinline__ const std::byte *dataOf(const DeviceExperts &experts, int expert)
{
    return static_cast<const std::byte *>(experts.first.data) + expert * experts.dataStride;
}

__device__ __forceinline__ const float *scalesOf(const DeviceExperts &experts, int expert)
{
    return experts.first.scales + expert * experts.scaleStride;
}

/// silu(gate) * up of every block that a token goes through, times the weight of its expert. Tokens
/// [begin, begin + count) are staged.
__device__ __forceinline__ void activateExperts(const StageContext &c, const DeviceLayer &w,
                                                const SplitVectors &x, int begin, int count)
{
    const DecodeShape &s = c.params.shape;
    const int unique = w.router.rows > 0 ? c.state.uniqueExperts : 0;
    const int tilesOfExpert = (s.expertRows + tileRows - 1) / tileRows;
    const int tilesOfShared = (w.gate.rows + tileRows - 1) / tileRows;
    const int tiles = unique * tilesOfExpert + tilesOfShared;
    const TileSchedule schedule(tiles, c.block, c.blocks);
    const int token = laneOf() / 4;
    int tile = schedule.tile;
    for (int round = 0; round < schedule.rounds; ++round, tile += schedule.step) {
        const bool valid = tile < tiles;
        const int place = tile / max(1, tilesOfExpert) < unique ? tile / max(1, tilesOfExpert) : -1;
        const int expert = place >= 0 ? c.state.expertOf[place] : 0;
        const DeviceMatrix &gate = place >= 0 ? w.expertGate.first : w.gate;
        const DeviceMatrix &up = place >= 0 ? w.expertUp.first : w.up;
        const int row = (tile - (place >= 0 ? place : unique) * tilesOfExpert) * tileRows;
        float sums[2][4] = {};
        if (valid) {
            const int units = roundUp(gate.columns, elementsOfUnit(gate.dtype)) / elementsOfUnit(gate.dtype);
            TileParams p[2];
            p[0] = {.matrix = &gate,
                    .data =
                        place >= 0 ? dataOf(w.expertGate, expert) : static_cast<const std::byte *>(gate.data),
                    .scales = place >= 0 ? scalesOf(w.expertGate, expert) : gate.scales,
                    .firstRow = row,
                    .unitBegin = schedule.begin(units),
                    .unitEnd = schedule.end(units),
                    .activations = token < count ? x.at(token, 0) : nullptr};
            p[1] = p[0];
            p[1].matrix = &up;
            p[1].data = place >= 0 ? dataOf(w.expertUp, expert) : static_cast<const std::byte *>(up.data);
            p[1].scales = place >= 0 ? scalesOf(w.expertUp, expert) : up.scales;
            multiplyUnits(gate.dtype, c.state, c.rings, sums, p);
        }
        finishTile(c.state, schedule, sums, count, valid, [&](int t, int r, const float(&values)[2]) {
            const int slot = place >= 0 ? c.state.slotOf[place][begin + t] : s.chosen;
            if (slot < 0 || row + r >= gate.rows)
                return;
            const float weight = place >= 0 ? c.state.choices[begin + t][slot].weight : 1.0F;
            c.params.buffers.activations[static_cast<std::int64_t>(begin + t) * s.activationStride
                                         + (w.router.rows > 0 ? slot * s.expertRows : 0) + row + r] =
                values[0] / (1.0F + expf(-values[0])) * values[1] * weight;
        });
    }
}

/// Where the tokens' normalised input lies while it meets gate and up projections.
__device__ __forceinline__ bool inputFits(const StageContext &c)
{
    return c.step.tokens <= tokensThatFit(c.params.shape.hidden, c.sharedBytes);
}

__device__ __forceinline__ void stageInput(const StageContext &c, const DeviceLayer &w, int begin, int count)
{
    const int n = c.params.shape.hidden;
    stageTokens(c, splitVectors(c.shared, n), c.params.buffers.x, w.postAttentionNorm, n,
                w.router.rows > 0 ? w.expertGate.first.dtype : w.gate.dtype, begin, count);
}

/// Activates every block, in as many passes as the shared memory asks for. `staged`: all tokens are there.
__device__ __noinline__ void feedForwardIn(const StageContext &c, const DeviceLayer &w, bool staged)
{
    const SplitVectors x = splitVectors(c.shared, c.params.shape.hidden);
    const int fit = tokensThatFit(c.params.shape.hidden, c.sharedBytes);
    for (int begin = 0; begin < c.step.tokens; begin += fit) {
        const int count = min(fit, c.step.tokens - begin);
        if (!staged)
            stageInput(c, w, begin, count);
        activateExperts(c, w, x, begin, count);
        __syncthreads();
    }
}

/// The blocks' inputs side by side in shared memory: chosen experts' at equal distances, then the shared
/// ones'.
struct DownLayout {
    int expertStride; ///< elements
    int sharedAt;
    int elements;

    __device__ __forceinline__ DownLayout(const DecodeShape &s, const DeviceLayer &w)
    {
        const int unit = elementsOfUnit(w.router.rows > 0 ? w.expertDown.first.dtype : w.down.dtype);
        expertStride = roundUp(s.expertRows, unit);
        sharedAt = w.router.rows > 0 ? s.chosen * expertStride : 0;
        elements = sharedAt + roundUp(w.down.columns, unit);
    }
};

__device__ __forceinline__ void stageActivations(const StageContext &c, const DeviceLayer &w,
                                                 const DownLayout &layout, const SplitVectors &to, int begin,
                                                 int count)
{
    const DecodeShape &s = c.params.shape;
    const int chosen = w.router.rows > 0 ? s.chosen : 0;
    for (int t = 0; t < count; ++t) {
        const float *from =
            c.params.buffers.activations + static_cast<std::int64_t>(begin + t) * s.activationStride;
        for (int k = 0; k < chosen; ++k)
            stageVector(to,
                        {.from = from + k * s.expertRows,
                         .factor = 1.0F / activationScale,
                         .n = s.expertRows,
                         .token = t,
                         .at = k * layout.expertStride,
                         .dtype = w.expertDown.first.dtype});
        if (w.down.rows > 0)
            stageVector(to,
                        {.from = from + chosen * s.expertRows,
                         .factor = 1.0F / activationScale,
                         .n = w.down.columns,
                         .token = t,
                         .at = layout.sharedAt,
                         .dtype = w.down.dtype});
    }
    __syncthreads();
}

/// Asks for what down_proj will read of the chosen experts.
__device__ __forceinline__ void prefetchDown(const StageContext &c, const DeviceLayer &w)
{
    const DeviceMatrix &m = w.expertDown.first;
    const int unique = w.router.rows > 0 ? c.state.uniqueExperts : 0;
    for (int i = 0; i < unique; ++i)
        prefetchShare(dataOf(w.expertDown, c.state.expertOf[i]), bytesOf(m), c.block, c.blocks);
}

/// Adds this warp's share of the columns of all blocks to the sums of a tile of down_proj's rows.
__device__ __forceinline__ void multiplyDown(const StageContext &c, const DeviceLayer &w,
                                             const DownLayout &layout, const SplitVectors &x,
                                             const TileSchedule &schedule, int row, int begin, int count,
                                             float (&sums)[1][4])
{
    const DecodeShape &s = c.params.shape;
    const int unique = w.router.rows > 0 ? c.state.uniqueExperts : 0;
    const DType dtype = unique > 0 ? w.expertDown.first.dtype : w.down.dtype;
    const int unit = elementsOfUnit(dtype);
    const int unitsOfExpert = layout.expertStride / unit;
    const int unitsOfShared = roundUp(w.down.columns, unit) / unit;
    const int units = unique * unitsOfExpert + unitsOfShared;
    const int token = laneOf() / 4;
    int from = schedule.begin(units);
    const int to = schedule.end(units);
    while (from < to) {
        const int place = unitsOfExpert > 0 && from / unitsOfExpert < unique ? from / unitsOfExpert : -1;
        const int start = (place >= 0 ? place : unique) * unitsOfExpert;
        const int end = min(to, place >= 0 ? start + unitsOfExpert : units);
        const int expert = place >= 0 ? c.state.expertOf[place] : 0;
        const int slot = token >= count ? -1 : place >= 0 ? c.state.slotOf[place][begin + token] : s.chosen;
        const int at = place >= 0 ? slot * layout.expertStride : layout.sharedAt;
        const TileParams p[1] = {
            {.matrix = place >= 0 ? &w.expertDown.first : &w.down,
             .data = place >= 0 ? dataOf(w.expertDown, expert) : static_cast<const std::byte *>(w.down.data),
             .scales = place >= 0 ? scalesOf(w.expertDown, expert) : w.down.scales,
             .firstRow = row,
             .unitBegin = from - start,
             .unitEnd = end - start,
             .activations = slot >= 0 ? x.at(token, at) : nullptr}};
        multiplyUnits(dtype, c.state, c.rings, sums, p);
        from = end;
    }
}

/// x += Σ down_proj of every block a token goes through.
__device__ __noinline__ void feedForwardOut(const StageContext &c, const DeviceLayer &w)
{
    const int hidden = c.params.shape.hidden;
    const DownLayout layout(c.params.shape, w);
    const SplitVectors x = splitVectors(c.shared, layout.elements);
    const int fit = tokensThatFit(layout.elements, c.sharedBytes);
    const TileSchedule schedule((hidden + tileRows - 1) / tileRows, c.block, c.blocks);
    for (int begin = 0; begin < c.step.tokens; begin += fit) {
        const int count = min(fit, c.step.tokens - begin);
        stageActivations(c, w, layout, x, begin, count);
        int tile = schedule.tile;
        for (int round = 0; round < schedule.rounds; ++round, tile += schedule.step) {
            const bool valid = tile * tileRows < hidden;
            float sums[1][4] = {};
            if (valid)
                multiplyDown(c, w, layout, x, schedule, tile * tileRows, begin, count, sums);
            finishTile(c.state, schedule, sums, count, valid, [&](int t, int r, const float(&value)[1]) {
                if (tile * tileRows + r >= hidden)
                    return;
                float *out =
                    c.params.buffers.x + static_cast<std::int64_t>(begin + t) * hidden + tile * tileRows + r;
                *out = __ldcg(out) + value[0] * activationScale;
            });
        }
        __syncthreads();
    }
}

} // namespace bathyscope::kernels::cuda

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Latent attention of up to eight new tokens in absorbed form: 16 heads are the rows of a tensor-core tile
// and share one pass over a part of the latents; the parts are joined where their sum is multiplied with
// W_UV.
#pragma once

#include "kernels/cuda/decode_projection.cuh"

namespace bathyscope::kernels::cuda {

__device__ __forceinline__ AttentionSplit splitPositions(int positions, int itemsOfSplit, int blocks)
{
    const int most = min(attentionMaxSplits, max(1, blocks / itemsOfSplit));
    const int each = roundUp((positions + most - 1) / most, attentionTile);
    return {each, (positions + each - 1) / each};
}

/// Shared memory of one part of the positions. Rows are 16 bytes longer than they need be: eight rows then
/// fall into different banks.
struct AttentionTiles {
    __half *queries; ///< [2: high and low parts][16][stride]
    __half *latents; ///< [2 tiles][attentionTile][stride]
    __half *probabilities; ///< [16][attentionTile + 8]
    float *scores; ///< [2 halves of the width][16][attentionTile + 4]
    int stride; ///< elements

    __device__ AttentionTiles(unsigned char *shared, int width)
        : queries(reinterpret_cast<__half *>(shared))
        , latents(queries + 2 * decodeHeadGroup * (width + 8))
        , probabilities(latents + 2 * attentionTile * (width + 8))
        , scores(reinterpret_cast<float *>(probabilities + decodeHeadGroup * (attentionTile + 8)))
        , stride(width + 8)
    {
    }
};

struct AttentionPart {
    const float *queries; ///< [heads, width], of the group's first head on
    const __half *cache; ///< [positions, width]
    int heads; ///< of the group, at most 16
    int begin; ///< first position
    int end; ///< may be before begin: nothing is seen
    int latent;
    int width; ///< latent + rope, a multiple of 16
    float scale; ///< of the softmax, times log2(e)
    float *out; ///< [16, latent]
    float *sums; ///< [16, 2]
};

/// Each warp one head.
__device__ __forceinline__ void stageQueries(const AttentionTiles &tiles, const AttentionPart &p)
{
    const int head = warpOf();
    const auto limited = [](float f) { return fminf(fmaxf(f, -65504.0F), 65504.0F); };
    __half *high = tiles.queries + head * tiles.stride;
    __half *low = high + decodeHeadGroup * tiles.stride;
#pragma unroll 3
    for (int i = 2 * laneOf(); i < p.width; i += 2 * warpSize32) {
        float2 v{};
        if (head < p.heads)
            v = __ldcg(reinterpret_cast<const float2 *>(p.queries + head * p.width + i));
        v = {limited(v.x * p.scale), limited(v.y * p.scale)};
        const __half2 h = __floats2half2_rn(v.x, v.y);
        const float2 f = __half22float2(h);
        *reinterpret_cast<__half2 *>(high + i) = h;
        *reinterpret_cast<__half2 *>(low + i) = __floats2half2_rn(v.x - f.x, v.y - f.y);
    }
}

/// Asks for one tile of latents, each warp its rows; zeros past the end.
__device__ __forceinline__ void requestLatents(const AttentionTiles &tiles, const AttentionPart &p, int tile)
{
    __half *to = tiles.latents + tile % 2 * attentionTile * tiles.stride;
    const int first = p.begin + tile * attentionTile;
    for (int position = warpOf(); position < attentionTile; position += decodeWarps) {
        const bool inside = first + position < p.end;
        const __half *from = p.cache + static_cast<std::int64_t>(inside ? first + position : 0) * p.width;
        for (int column = 8 * laneOf(); column < p.width; column += 8 * warpSize32)
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                             sharedAddressOf(to + position * tiles.stride + column)),
                         "l"(from + column), "r"(inside ? 16 : 0)
                         : "memory");
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
}

__device__ __forceinline__ void loadFourMatrices(std::uint32_t (&r)[4], const void *address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(sharedAddressOf(address))
                 : "memory");
}

/// Scores of the tile's positions, each warp eight of them over half the width.
__device__ __forceinline__ void scoreTile(const AttentionTiles &tiles, const AttentionPart &p, int tile)
{
    const int lane = laneOf();
    const int firstColumn = warpOf() % 8 * 8;
    const int half = warpOf() / 8;
    const int steps = p.width / 16;
    const __half *keys =
        tiles.latents + (tile % 2 * attentionTile + firstColumn + lane % 8) * tiles.stride + lane / 8 % 2 * 8;
    const __half *queries = tiles.queries + lane % 16 * tiles.stride + lane / 16 * 8;
    float d[4] = {};
#pragma unroll 3
    for (int step = half * steps / 2; step < (half + 1) * steps / 2; ++step) {
        std::uint32_t a[4];
        std::uint32_t b[2];
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                     : "=r"(b[0]), "=r"(b[1])
                     : "r"(sharedAddressOf(keys + step * 16))
                     : "memory");
        loadFourMatrices(a, queries + step * 16);
        multiplyTile<true>(d, a[0], a[1], a[2], a[3], b[0], b[1]);
        loadFourMatrices(a, queries + decodeHeadGroup * tiles.stride + step * 16);
        multiplyTile<true>(d, a[0], a[1], a[2], a[3], b[0], b[1]);
    }
    float *scores =
        tiles.scores + (half * decodeHeadGroup + lane / 4) * (attentionTile + 4) + firstColumn + lane % 4 * 2;
    scores[0] = d[0];
    scores[1] = d[1];
    scores[8 * (attentionTile + 4)] = d[2];
    scores[8 * (attentionTile + 4) + 1] = d[3];
}

/// Online softmax of one tile (arXiv 1805.02867): each warp one head.
struct RunningSoftmax {
    float maximum = -INFINITY; ///< base 2
    float sum = 0;

    /// Returns what earlier results must be multiplied with.
    __device__ __forceinline__ float take(const AttentionTiles &tiles, int head, int positions)
    {
        const int lane = laneOf();
        const float *row = tiles.scores + head * (attentionTile + 4);
        constexpr int other = decodeHeadGroup * (attentionTile + 4);
        const float s0 = lane < positions ? row[lane] + row[other + lane] : -INFINITY;
        const float s1 = lane + 32 < positions ? row[lane + 32] + row[other + lane + 32] : -INFINITY;
        const float next = fmaxf(maximum, warpMax(fmaxf(s0, s1)));
        const float factor = exp2f(maximum - next);
        const __half p0 = __float2half_rn(exp2f(s0 - next));
        const __half p1 = __float2half_rn(exp2f(s1 - next));
        __half *out = tiles.probabilities + head * (attentionTile + 8);
        out[lane] = p0;
        out[lane + 32] = p1;
        sum = sum * factor + warpSum(__half2float(p0) + __half2float(p1));
        maximum = next;
        return factor;
    }
};

/// One part of the positions: an item of `partial`.
__device__ __forceinline__ void attendPart(BlockState &state, unsigned char *shared, const AttentionPart &p)
{
    const AttentionTiles tiles(shared, p.width);
    const int lane = laneOf();
    const int warp = warpOf();
    const int count = p.end > p.begin ? (p.end - p.begin + attentionTile - 1) / attentionTile : 0;
    constexpr int pairs = decodeMaxLatent / 16 / decodeWarps; // of 16 columns, each warp's
    float out[pairs][2][4] = {};
    RunningSoftmax softmax;
    if (count > 0)
        requestLatents(tiles, p, 0);
    stageQueries(tiles, p);
    for (int tile = 0; tile < count; ++tile) {
        if (tile + 1 < count)
            requestLatents(tiles, p, tile + 1);
        else
            asm volatile("cp.async.commit_group;" ::: "memory");
        asm volatile("cp.async.wait_group 1;" ::: "memory");
        __syncthreads();
        scoreTile(tiles, p, tile);
        __syncthreads();
        const float factor = softmax.take(tiles, warp, p.end - p.begin - tile * attentionTile);
        if (lane == 0)
            state.rows[0][warp] = factor;
        __syncthreads();
        const float f0 = state.rows[0][lane / 4];
        const float f1 = state.rows[0][lane / 4 + 8];
        std::uint32_t a[attentionTile / 16][4];
#pragma unroll
        for (int step = 0; step < attentionTile / 16; ++step)
            loadFourMatrices(
                a[step], tiles.probabilities + lane % 16 * (attentionTile + 8) + step * 16 + lane / 16 * 8);
#pragma unroll
        for (int pair = 0; pair < pairs; ++pair) {
            const int column = (warp + pair * decodeWarps) * 16;
            if (column >= p.latent)
                break;
#pragma unroll
            for (int n = 0; n < 2; ++n) {
                out[pair][n][0] *= f0;
                out[pair][n][1] *= f0;
                out[pair][n][2] *= f1;
                out[pair][n][3] *= f1;
            }
            const __half *values = tiles.latents + (tile % 2 * attentionTile + lane % 16) * tiles.stride
                + column + lane / 16 * 8;
#pragma unroll
            for (int step = 0; step < attentionTile / 16; ++step) {
                std::uint32_t b[4];
                asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                             : "=r"(b[0]), "=r"(b[1]), "=r"(b[2]), "=r"(b[3])
                             : "r"(sharedAddressOf(values + step * 16 * tiles.stride))
                             : "memory");
                multiplyTile<true>(out[pair][0], a[step][0], a[step][1], a[step][2], a[step][3], b[0], b[1]);
                multiplyTile<true>(out[pair][1], a[step][0], a[step][1], a[step][2], a[step][3], b[2], b[3]);
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int pair = 0; pair < pairs; ++pair) {
        const int column = (warp + pair * decodeWarps) * 16 + lane % 4 * 2;
        if (column >= p.latent)
            break;
#pragma unroll
        for (int n = 0; n < 2; ++n) {
            float *row = p.out + lane / 4 * p.latent + column + n * 8;
            *reinterpret_cast<float2 *>(row) = {out[pair][n][0], out[pair][n][1]};
            *reinterpret_cast<float2 *>(row + 8 * p.latent) = {out[pair][n][2], out[pair][n][3]};
        }
    }
    if (lane == 0)
        *reinterpret_cast<float2 *>(p.sums + 2 * warp) = {softmax.maximum, softmax.sum};
}

__device__ __noinline__ void attend(const StageContext &c, const __half *cache)
{
    const DecodeShape &s = c.params.shape;
    const int groups = (s.heads + decodeHeadGroup - 1) / decodeHeadGroup;
    const int rowsOfItems = c.step.tokens * groups;
    const AttentionSplit split = splitPositions(c.step.firstPosition + c.step.tokens, rowsOfItems, c.blocks);
    for (int item = c.block; item < rowsOfItems * split.count; item += c.blocks) {
        const int token = item / split.count / groups;
        const int head = item / split.count % groups * decodeHeadGroup;
        const int begin = item % split.count * split.positionsEach;
        attendPart(
            c.state, c.shared,
            {.queries = c.params.buffers.absorbed
                 + (static_cast<std::int64_t>(token) * s.heads + head) * (s.latent + s.rope),
             .cache = cache,
             .heads = min(decodeHeadGroup, s.heads - head),
             .begin = begin,
             .end = min(begin + split.positionsEach, c.step.firstPosition + token + 1),
             .latent = s.latent,
             .width = s.latent + s.rope,
             .scale = s.softmaxScale * 1.44269504F,
             .out = c.params.buffers.partial + static_cast<std::int64_t>(item) * decodeHeadGroup * s.latent,
             .sums = c.params.buffers.partialSums + item * decodeHeadGroup * 2});
        __syncthreads();
    }
}

/// state.scores[i] = what part i of a head's positions counts.
__device__ __forceinline__ void weighParts(BlockState &state, const float *sums, int count)
{
    if (warpOf() == 0) {
        float maximum = -INFINITY;
        for (int i = laneOf(); i < count; i += warpSize32)
            maximum = fmaxf(maximum, __ldcg(sums + i * decodeHeadGroup * 2));
        maximum = warpMax(maximum);
        float total = 0;
        for (int i = laneOf(); i < count; i += warpSize32) {
            const float factor = exp2f(__ldcg(sums + i * decodeHeadGroup * 2) - maximum);
            state.scores[i] = factor;
            total += factor * __ldcg(sums + i * decodeHeadGroup * 2 + 1);
        }
        total = warpSum(total);
        for (int i = laneOf(); i < count; i += warpSize32)
            state.scores[i] /= total;
    }
    __syncthreads();
}

/// attended = W_UV · joined parts: a block takes some rows of one head of one token.
__device__ __noinline__ void joinAndExpand(const StageContext &c, const DeviceLayer &w)
{
    const DecodeShape &s = c.params.shape;
    const int groups = (s.heads + decodeHeadGroup - 1) / decodeHeadGroup;
    const AttentionSplit split =
        splitPositions(c.step.firstPosition + c.step.tokens, c.step.tokens * groups, c.blocks);
    const int most = max(1, c.blocks / (c.step.tokens * s.heads));
    const int rowsEach = roundUp((s.value + most - 1) / most, tileRows);
    const int slices = (s.value + rowsEach - 1) / rowsEach;
    const SplitVectors staged = splitVectors(c.shared, s.latent);
    for (int item = c.block; item < c.step.tokens * s.heads * slices; item += c.blocks) {
        const int token = item / slices / s.heads;
        const int head = item / slices % s.heads;
        const int firstRow = item % slices * rowsEach;
        const std::int64_t firstItem =
            static_cast<std::int64_t>(token * groups + head / decodeHeadGroup) * split.count;
        const int row = head % decodeHeadGroup;
        weighParts(c.state, c.params.buffers.partialSums + (firstItem * decodeHeadGroup + row) * 2,
                   split.count);
        const float *parts = c.params.buffers.partial + (firstItem * decodeHeadGroup + row) * s.latent;
        const int padded = roundUp(s.latent, elementsOfUnit(w.kvB.dtype));
        for (int i = static_cast<int>(threadIdx.x); i < padded; i += decodeThreads) {
            float value = 0;
            if (i < s.latent)
#pragma unroll 8
                for (int part = 0; part < split.count; ++part)
                    value += c.state.scores[part]
                        * __ldcg(parts + static_cast<std::int64_t>(part) * decodeHeadGroup * s.latent + i);
            staged.store(meetsHalves(w.kvB.dtype), 0, i, value);
        }
        __syncthreads();
        const int rows = min(rowsEach, s.value - firstRow);
        float *out = c.params.buffers.attended + (static_cast<std::int64_t>(token) * s.heads + head) * s.value
            + firstRow;
        multiplyRows(c.state, c.rings, w.kvB, staged, 1, head * (s.nope + s.value) + s.nope + firstRow, rows,
                     0, 1, [&](int, int r, float value) { out[r] = value; });
        __syncthreads();
    }
}

} // namespace bathyscope::kernels::cuda

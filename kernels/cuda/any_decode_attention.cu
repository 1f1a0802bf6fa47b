// SPDX-License-Identifier: GPL-3.0-or-later
//
// Latent attention of up to eight new tokens in absorbed form (DeepSeek-V2, section 2.1.2): 16 heads are the
// rows of a tensor-core tile and share one pass over a part of the latents; the parts are joined where their
// sum is multiplied with W_UV.
#include "kernels/cuda/decode_tiles.cuh"

namespace bathyscope::kernels::cuda {

namespace {

__device__ __forceinline__ AttentionSplit splitPositions(int positions, int splits)
{
    constexpr int tile = decodeAttentionTile;
    const int each = ((positions + splits - 1) / splits + tile - 1) / tile * tile;
    return {each, (positions + each - 1) / each};
}

constexpr int queryParts = 4; ///< of the width, each a warp's
constexpr int stepsOfPart = decodeMaxWidth / 16 / queryParts;
constexpr int scoreStride = decodeAttentionTile + 1;
constexpr int probabilityStride = decodeAttentionTile + 8;

/// Shared memory of one part of the positions. Rows of latents are 16 bytes longer than they need be: eight
/// rows then fall into different banks.
struct AttentionTiles {
    __half *latents; ///< [2 tiles][decodeAttentionTile][stride]
    __half *probabilities; ///< [16][probabilityStride]
    float *scores; ///< [queryParts][16][scoreStride]
    float *factors; ///< [16]: what a head's earlier results are multiplied with
    int stride; ///< elements

    __device__ __forceinline__ AttentionTiles(unsigned char *shared, int width)
        : latents(reinterpret_cast<__half *>(shared))
        , probabilities(latents + 2 * decodeAttentionTile * (width + 8))
        , scores(reinterpret_cast<float *>(probabilities + decodeHeadGroup * probabilityStride))
        , factors(scores + queryParts * decodeHeadGroup * scoreStride)
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
    int width; ///< latent + rope
    float scale; ///< of the softmax, times log2(e)
    float *out; ///< [16, latent]
    float *sums; ///< [16, 2]
};

/// A warp's part of the queries as rows of tensor-core tiles, each number the sum of two halves.
struct QueryFragments {
    std::uint32_t high[stepsOfPart][4];
    std::uint32_t low[stepsOfPart][4];
    int firstStep; ///< of 16 columns
    int steps;

    __device__ __forceinline__ explicit QueryFragments(const AttentionPart &p)
    {
        const int all = p.width / 16;
        const int part = warpOf() % queryParts;
        firstStep = all * part / queryParts;
        steps = all * (part + 1) / queryParts - firstStep;
        const auto limited = [](float f) { return fminf(fmaxf(f, -65504.0F), 65504.0F); };
#pragma unroll
        for (int i = 0; i < stepsOfPart; ++i)
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const int head = laneOf() / 4 + j % 2 * 8;
                const int column = (firstStep + i) * 16 + laneOf() % 4 * 2 + j / 2 * 8;
                float2 v{};
                if (i < steps && head < p.heads)
                    v = __ldcg(reinterpret_cast<const float2 *>(p.queries + head * p.width + column));
                v = {limited(v.x * p.scale), limited(v.y * p.scale)};
                const __half2 h = __floats2half2_rn(v.x, v.y);
                const float2 f = __half22float2(h);
                const __half2 l = __floats2half2_rn(v.x - f.x, v.y - f.y);
                high[i][j] = *reinterpret_cast<const std::uint32_t *>(&h);
                low[i][j] = *reinterpret_cast<const std::uint32_t *>(&l);
            }
    }
};

/// Asks for one tile of latents, each warp its rows; zeros past the end.
__device__ __forceinline__ void requestLatents(const AttentionTiles &tiles, const AttentionPart &p, int tile)
{
    __half *to = tiles.latents + tile % 2 * decodeAttentionTile * tiles.stride;
    const int first = p.begin + tile * decodeAttentionTile;
    const int pieces = p.width / 8;
    for (int i = static_cast<int>(threadIdx.x); i < decodeAttentionTile * pieces; i += decodeThreads) {
        const int position = i / pieces;
        const int column = i % pieces * 8;
        const bool inside = first + position < p.end;
        copyAsync16(sharedAddress(to + position * tiles.stride + column),
                    p.cache + static_cast<std::int64_t>(inside ? first + position : 0) * p.width + column,
                    inside ? 16 : 0);
    }
}

/// Scores of the tile's positions, each warp half of them over its part of the width.
__device__ __forceinline__ void scoreTile(const AttentionTiles &tiles, const QueryFragments &queries,
                                          int tile)
{
    const int lane = laneOf();
    const int firstPosition = warpOf() / queryParts * 16;
    const __half *keys = tiles.latents
        + (tile % 2 * decodeAttentionTile + firstPosition + lane / 16 * 8 + lane % 8) * tiles.stride
        + queries.firstStep * 16 + lane / 8 % 2 * 8;
    float d[2][4] = {};
#pragma unroll
    for (int i = 0; i < stepsOfPart; ++i) {
        if (i >= queries.steps)
            break;
        std::uint32_t b[4];
        loadMatrices(b, sharedAddress(keys + i * 16));
#pragma unroll
        for (int n = 0; n < 2; ++n) {
            multiplyTile<true>(d[n], queries.high[i], b[2 * n], b[2 * n + 1]);
            multiplyTile<true>(d[n], queries.low[i], b[2 * n], b[2 * n + 1]);
        }
    }
    float *scores = tiles.scores + (warpOf() % queryParts * decodeHeadGroup + lane / 4) * scoreStride
        + firstPosition + lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < 2; ++n) {
        scores[n * 8] = d[n][0];
        scores[n * 8 + 1] = d[n][1];
        scores[8 * scoreStride + n * 8] = d[n][2];
        scores[8 * scoreStride + n * 8 + 1] = d[n][3];
    }
}

/// Online softmax of a head (arXiv 1805.02867), a lane a position; one warp.
struct RunningSoftmax {
    float maximum = -INFINITY; ///< base 2
    float sum = 0;

    __device__ __forceinline__ void take(const AttentionTiles &tiles, int head, int positions)
    {
        const int lane = laneOf();
        const float *row = tiles.scores + head * scoreStride + lane;
        float score = 0;
#pragma unroll
        for (int part = 0; part < queryParts; ++part)
            score += row[part * decodeHeadGroup * scoreStride];
        if (lane >= positions)
            score = -INFINITY;
        const float next = fmaxf(maximum, warpMax(score));
        const float factor = exp2f(maximum - next);
        const __half probability = __float2half_rn(exp2f(score - next));
        tiles.probabilities[head * probabilityStride + lane] = probability;
        sum = sum * factor + warpSum(__half2float(probability));
        maximum = next;
        if (lane == 0)
            tiles.factors[head] = factor;
    }
};

constexpr int columnPairs = decodeMaxLatent / 16 / decodeWarps; ///< of 16 columns, each warp's

/// out = out · factors + probabilities · latents, each warp its columns.
__device__ __forceinline__ void addValues(float (&out)[columnPairs][2][4], const AttentionTiles &tiles,
                                          int latent, int tile)
{
    const int lane = laneOf();
    const float f0 = tiles.factors[lane / 4];
    const float f1 = tiles.factors[lane / 4 + 8];
    std::uint32_t a[decodeAttentionTile / 16][4];
#pragma unroll
    for (int step = 0; step < decodeAttentionTile / 16; ++step)
        loadMatrices(
            a[step],
            sharedAddress(tiles.probabilities + lane % 16 * probabilityStride + step * 16 + lane / 16 * 8));
#pragma unroll
    for (int pair = 0; pair < columnPairs; ++pair) {
        const int column = (warpOf() + pair * decodeWarps) * 16;
        if (column >= latent)
            break;
#pragma unroll
        for (int n = 0; n < 2; ++n) {
            out[pair][n][0] *= f0;
            out[pair][n][1] *= f0;
            out[pair][n][2] *= f1;
            out[pair][n][3] *= f1;
        }
        const __half *values = tiles.latents + (tile % 2 * decodeAttentionTile + lane % 16) * tiles.stride
            + column + lane / 16 * 8;
#pragma unroll
        for (int step = 0; step < decodeAttentionTile / 16; ++step) {
            std::uint32_t b[4];
            loadMatricesTransposed(b, sharedAddress(values + step * 16 * tiles.stride));
            multiplyTile<true>(out[pair][0], a[step], b[0], b[1]);
            multiplyTile<true>(out[pair][1], a[step], b[2], b[3]);
        }
    }
}

__device__ __forceinline__ void attendPart(unsigned char *shared, const AttentionPart &p)
{
    const AttentionTiles tiles(shared, p.width);
    const int lane = laneOf();
    const int count = p.end > p.begin ? (p.end - p.begin + decodeAttentionTile - 1) / decodeAttentionTile : 0;
    float out[columnPairs][2][4] = {};
    RunningSoftmax softmax[decodeHeadGroup / decodeWarps];
    if (count > 0)
        requestLatents(tiles, p, 0);
    commitCopies();
    const QueryFragments queries(p);
    for (int tile = 0; tile < count; ++tile) {
        if (tile + 1 < count)
            requestLatents(tiles, p, tile + 1);
        commitCopies();
        waitForCopies<1>();
        __syncthreads();
        scoreTile(tiles, queries, tile);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < decodeHeadGroup / decodeWarps; ++i)
            softmax[i].take(tiles, warpOf() + i * decodeWarps, p.end - p.begin - tile * decodeAttentionTile);
        __syncthreads();
        addValues(out, tiles, p.latent, tile);
        __syncthreads();
    }
#pragma unroll
    for (int pair = 0; pair < columnPairs; ++pair) {
        const int column = (warpOf() + pair * decodeWarps) * 16 + lane % 4 * 2;
        if (column >= p.latent)
            break;
#pragma unroll
        for (int n = 0; n < 2; ++n) {
            float *row = p.out + lane / 4 * p.latent + column + n * 8;
            *reinterpret_cast<float2 *>(row) = {out[pair][n][0], out[pair][n][1]};
            *reinterpret_cast<float2 *>(row + 8 * p.latent) = {out[pair][n][2], out[pair][n][3]};
        }
    }
#pragma unroll
    for (int i = 0; i < decodeHeadGroup / decodeWarps; ++i)
        if (lane == 0)
            *reinterpret_cast<float2 *>(p.sums + 2 * (warpOf() + i * decodeWarps)) = {softmax[i].maximum,
                                                                                      softmax[i].sum};
}

/// Where the parts of one token and group of heads begin.
__device__ __forceinline__ std::int64_t firstPart(const AttentionParams &p, int token, int group)
{
    const int groups = (p.heads + decodeHeadGroup - 1) / decodeHeadGroup;
    return static_cast<std::int64_t>(token * groups + group) * p.splits;
}

/// What part i of a head's positions counts; one warp.
__device__ __forceinline__ void weighParts(float *weights, const float *sums, int count)
{
    float maximum = -INFINITY;
#pragma unroll 2
    for (int i = laneOf(); i < count; i += 32)
        maximum = fmaxf(maximum, __ldcg(sums + i * decodeHeadGroup * 2));
    maximum = warpMax(maximum);
    float total = 0;
#pragma unroll 2
    for (int i = laneOf(); i < count; i += 32) {
        const float2 part = __ldcg(reinterpret_cast<const float2 *>(sums + i * decodeHeadGroup * 2));
        weights[i] = exp2f(part.x - maximum);
        total += weights[i] * part.y;
    }
    total = warpSum(total);
#pragma unroll 2
    for (int i = laneOf(); i < count; i += 32)
        weights[i] /= total;
}

/// Joins the parts of a head's positions in shared memory, for all tokens.
template <DType dtype>
__device__ __forceinline__ void joinParts(const SplitTokens<dtype> &joined, float *weights,
                                          const AttentionParams &p, int head, int count)
{
    const int group = head / decodeHeadGroup;
    const int row = head % decodeHeadGroup;
    if (warpOf() < p.tokens)
        weighParts(weights + warpOf() * p.splits,
                   p.partialSums + (firstPart(p, warpOf(), group) * decodeHeadGroup + row) * 2, count);
    __syncthreads();
    const int columns = joined.columns();
    for (int i = 4 * static_cast<int>(threadIdx.x); i < p.tokens * columns; i += 4 * decodeThreads) {
        const int t = i / columns;
        const int column = i % columns;
        float4 sum{};
        if (column < p.latent) {
            const float *from =
                p.partial + (firstPart(p, t, group) * decodeHeadGroup + row) * p.latent + column;
#pragma unroll 4
            for (int part = 0; part < count; ++part) {
                const float4 v = __ldcg(reinterpret_cast<const float4 *>(
                    from + static_cast<std::int64_t>(part) * decodeHeadGroup * p.latent));
                const float w = weights[t * p.splits + part];
                sum = {fmaf(v.x, w, sum.x), fmaf(v.y, w, sum.y), fmaf(v.z, w, sum.z), fmaf(v.w, w, sum.w)};
            }
        }
        joined.store(t, column, sum);
    }
}

/// attended = W_UV · joined parts: a block takes some rows of one head.
template <DType dtype, bool wide>
__device__ __forceinline__ void expand(const AttentionParams &p)
{
    extern __shared__ __align__(16) std::byte bytes[];
    __shared__ TileParts<wide> parts;
    const int rowBytes = rowBytesOf<dtype>(p.latent);
    const int slices = static_cast<int>(gridDim.x) / p.heads;
    const int head = static_cast<int>(blockIdx.x) / slices;
    const int tiles = (p.value + tileRows - 1) / tileRows;
    const int tilesEach = (tiles + slices - 1) / slices;
    const int first = static_cast<int>(blockIdx.x) % slices * tilesEach;
    const int firstRow = head * (p.nope + p.value) + p.nope;
    const auto rowsOf = [&](int tile) {
        const int row = firstRow + tile * tileRows + laneOf() / 4;
        const int last = p.kvB.rows - 1;
        return LaneRows{rowOf(p.kvB.data, p.kvB.scales, p.kvB.scaleColumns, min(row, last), rowBytes),
                        rowOf(p.kvB.data, p.kvB.scales, p.kvB.scaleColumns, min(row + 8, last), rowBytes)};
    };
    TileProduct<dtype, wide, decltype(rowsOf)> product(p.latent, rowsOf);
    if (first < tiles)
        product.requestFirst(first);
    prefetchShare(p.next, static_cast<int>(blockIdx.x), static_cast<int>(gridDim.x));
    const int count = splitPositions(__ldcg(&p.step->firstPosition) + p.tokens, p.splits).count;
    waitForKernelBefore();
    const SplitTokens<dtype> joined(bytes, p.latent);
    joinParts(joined, reinterpret_cast<float *>(bytes + 2 * p.tokens * joined.stride), p, head, count);
    __syncthreads();
    product.run(joined, p.tokens, parts, first, 1, min(tiles, first + tilesEach), [&](int tile, int buffer) {
        const int token = static_cast<int>(threadIdx.x) / tileRows;
        const int row = tile * tileRows + static_cast<int>(threadIdx.x) % tileRows;
        if (token < p.tokens && row < p.value)
            p.attended[(static_cast<std::int64_t>(token) * p.heads + head) * p.value + row] =
                parts.sum(buffer, static_cast<int>(threadIdx.x) % tileRows, token);
    });
}

} // namespace

/// A block takes a part of the positions for one token and group of heads.
extern "C" __global__ void __launch_bounds__(decodeThreads)
    decode_attend(const __grid_constant__ AttentionParams p)
{
    extern __shared__ __align__(128) unsigned char bytes[];
    const int block = static_cast<int>(blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z));
    prefetchShare(p.next, block, static_cast<int>(gridDim.x * gridDim.y * gridDim.z));
    const __half *cache = cacheOf(p);
    const int firstPosition = __ldcg(&p.step->firstPosition);
    const AttentionSplit split = splitPositions(firstPosition + p.tokens, p.splits);
    const int part = static_cast<int>(blockIdx.x);
    waitForKernelBefore();
    if (part >= split.count)
        return;
    const int token = static_cast<int>(blockIdx.z);
    const int head = static_cast<int>(blockIdx.y) * decodeHeadGroup;
    const int begin = part * split.positionsEach;
    const int width = p.latent + p.rope;
    const std::int64_t item = firstPart(p, token, static_cast<int>(blockIdx.y)) + part;
    attendPart(bytes,
               {.queries = p.absorbed + (static_cast<std::int64_t>(token) * p.heads + head) * width,
                .cache = cache,
                .heads = min(decodeHeadGroup, p.heads - head),
                .begin = begin,
                .end = min(begin + split.positionsEach, firstPosition + token + 1),
                .latent = p.latent,
                .width = width,
                .scale = p.softmaxScale * 1.44269504F,
                .out = p.partial + item * decodeHeadGroup * p.latent,
                .sums = p.partialSums + item * decodeHeadGroup * 2});
}

BATHYSCOPE_DECODE_KERNELS(decode_expand, AttentionParams, expand)

} // namespace bathyscope::kernels::cuda

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Grouped-query attention of up to eight new tokens (arXiv 2305.13245). Up to eight heads that share keys and
// values are the columns of tensor-core products, 16 positions the rows. Keys and values go from the cache to
// registers and are used there: which number of a head meets which of a product's columns does not matter, as
// long as both sides agree. Each warp has its own positions and its own softmax; they are joined at the end,
// and the parts of a context by the block that is the last to have its own.
#include "kernels/cuda/decode_tiles.cuh"
#include "kernels/cuda/grouped_heads.cuh"

namespace bathyscope::kernels::cuda {

namespace {

constexpr int warps = groupedThreads / 32;
constexpr int segments = groupedMaxHead / 32; ///< of 32 numbers of a head, 8 a lane

/// What a block works on.
struct Task {
    int token = static_cast<int>(blockIdx.z);
    int keyHead;
    int firstHead; ///< of the queries
    int heads; ///< at most groupedHeads
    int part = static_cast<int>(blockIdx.x);
    int parts; ///< that there are
    int begin; ///< position
    int end; ///< may be before begin: nothing is seen

    __device__ __forceinline__ Task(const GroupedAttentionParams &p, int firstPosition)
    {
        const int sharing = p.heads.heads / p.heads.keyHeads;
        const int groups = (sharing + groupedHeads - 1) / groupedHeads;
        keyHead = static_cast<int>(blockIdx.y) / groups;
        const int first = static_cast<int>(blockIdx.y) % groups * groupedHeads;
        firstHead = keyHead * sharing + first;
        heads = min(groupedHeads, sharing - first);
        const int positions = firstPosition + p.tokens;
        const int each =
            ((positions + p.splits - 1) / p.splits + groupedTile - 1) / groupedTile * groupedTile;
        parts = (positions + each - 1) / each;
        begin = part * each;
        end = min(begin + each, firstPosition + token + 1);
    }

    /// Whether this block appends its token to the cache.
    [[nodiscard]] __device__ __forceinline__ bool appends(const HeadsParams &h) const
    {
        return part == 0 && firstHead == keyHead * (h.heads / h.keyHeads);
    }
};

struct Shared {
    __half queries[2][groupedHeads][groupedMaxHead]; ///< as the sum of two halves
    __half rows[decodeMaxTokens][2][groupedMaxHead]; ///< keys and values of the new tokens
    float out[warps][groupedHeads][groupedMaxHead]; ///< then the weights of parts
    float2 sums[warps][groupedHeads]; ///< maximum (base 2) and sum
    bool isLast;
};

/// The group's queries, times the softmax's scale for base 2.
__device__ __forceinline__ void stageQueries(Shared &shared, const GroupedAttentionParams &p,
                                             const Task &task)
{
    const int head = warpOf();
    const int half = p.heads.headDim / 2;
    for (int i = laneOf(); i < groupedMaxHead; i += 32) {
        shared.queries[0][head][i] = __half(0);
        shared.queries[1][head][i] = __half(0);
    }
    __syncwarp();
    if (head >= task.heads)
        return;
    const float *x = p.query
        + (static_cast<std::int64_t>(task.token) * p.heads.heads + task.firstHead + head) * p.heads.headDim;
    const float scale = p.softmaxScale * 1.44269504F;
    finishHead(p.heads, x, queryWeights(p.heads, task.firstHead + head), p.step->cosines + task.token * half,
               p.step->sines + task.token * half)
        .forEach(p.heads, [&](int column, float v) {
            const __half high = toCached(v * scale);
            shared.queries[0][head][column] = high;
            shared.queries[1][head][column] = __float2half_rn(v * scale - __half2float(high));
        });
}

/// Keys and values of the tokens up to the block's own, a warp each; the block's own to the cache as well.
__device__ __forceinline__ void stageRows(Shared &shared, const GroupedAttentionParams &p, const Task &task,
                                          __half *cache, int firstPosition)
{
    static_assert(warps >= decodeMaxTokens);
    const int token = warpOf();
    if (token > task.token)
        return;
    const HeadsParams &h = p.heads;
    const int half = h.headDim / 2;
    const int at = task.keyHead * h.headDim;
    const std::int64_t from = static_cast<std::int64_t>(token) * h.keyHeads * h.headDim + at;
    __half *row = cache + static_cast<std::int64_t>(firstPosition + token) * 2 * h.keyHeads * h.headDim + at;
    const bool appends = token == task.token && task.appends(h);
    finishHead(h, p.key + from, keyWeights(h, task.keyHead), p.step->cosines + token * half,
               p.step->sines + token * half)
        .forEach(h, [&](int column, float v) {
            shared.rows[token][0][column] = toCached(v);
            if (appends)
                row[column] = toCached(v);
        });
    loadHead(h, p.value + from, valueBias(h, task.keyHead)).forEach(h, [&](int column, float v) {
        shared.rows[token][1][column] = toCached(v);
        if (appends)
            row[h.keyHeads * h.headDim + column] = toCached(v);
    });
}

/// Where rows of keys or values are found.
struct Rows {
    const __half *cache; ///< of position 0, this head
    const __half *fresh; ///< of the first new token
    std::int64_t stride; ///< elements, of the cache
    int firstPosition; ///< of the new tokens
    int last; ///< position
    int headDim;
};

/// A lane's parts of the keys or values of 16 positions: positions lane / 4 and 8 more, of each 32 numbers
/// eight.
struct Fragments {
    uint4 upper[segments];
    uint4 lower[segments];

    __device__ __forceinline__ void request(const Rows &rows, int position)
    {
        const __half *u = rowOf(rows, position + laneOf() / 4);
        const __half *l = rowOf(rows, position + laneOf() / 4 + 8);
#pragma unroll
        for (int s = 0; s < segments; ++s) {
            const int column = s * 32 + laneOf() % 4 * 8;
            upper[s] = uint4{};
            lower[s] = uint4{};
            if (column < rows.headDim) {
                upper[s] = *reinterpret_cast<const uint4 *>(u + column);
                lower[s] = *reinterpret_cast<const uint4 *>(l + column);
            }
        }
    }

private:
    /// Behind the last position the last one stands in.
    static __device__ __forceinline__ const __half *rowOf(const Rows &rows, int position)
    {
        const int at = min(position, rows.last);
        return at < rows.firstPosition ? rows.cache + at * rows.stride
                                       : rows.fresh + (at - rows.firstPosition) * 2 * groupedMaxHead;
    }
};

/// The queries as columns of products, a lane's parts of head lane / 4.
struct QueryFragments {
    uint4 high[segments];
    uint4 low[segments];

    __device__ __forceinline__ explicit QueryFragments(const Shared &shared)
    {
#pragma unroll
        for (int s = 0; s < segments; ++s) {
            const int column = s * 32 + laneOf() % 4 * 8;
            high[s] = *reinterpret_cast<const uint4 *>(&shared.queries[0][laneOf() / 4][column]);
            low[s] = *reinterpret_cast<const uint4 *>(&shared.queries[1][laneOf() / 4][column]);
        }
    }
};

/// scores[16 positions, 8 heads] = keys · queries.
__device__ __forceinline__ void score(float (&scores)[4], const Fragments &keys, const QueryFragments &q)
{
#pragma unroll
    for (int s = 0; s < segments; ++s) {
        const std::uint32_t first[4] = {keys.upper[s].x, keys.lower[s].x, keys.upper[s].y, keys.lower[s].y};
        const std::uint32_t second[4] = {keys.upper[s].z, keys.lower[s].z, keys.upper[s].w, keys.lower[s].w};
        multiplyTile<true>(scores, first, q.high[s].x, q.high[s].y);
        multiplyTile<true>(scores, second, q.high[s].z, q.high[s].w);
        multiplyTile<true>(scores, first, q.low[s].x, q.low[s].y);
        multiplyTile<true>(scores, second, q.low[s].z, q.low[s].w);
    }
}

/// An 8×8 matrix of halves, a row's pair in each lane, with rows and columns exchanged.
__device__ __forceinline__ std::uint32_t transposed(std::uint32_t pair)
{
    std::uint32_t result;
    asm("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(result) : "r"(pair));
    return result;
}

__device__ __forceinline__ std::uint32_t bitsOf(__half2 pair)
{
    return *reinterpret_cast<const std::uint32_t *>(&pair);
}

/// Largest of a column of 8 rows, in each of its lanes.
__device__ __forceinline__ float columnMax(float value)
{
#pragma unroll
    for (int distance = 4; distance < 32; distance *= 2)
        value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, distance));
    return value;
}

/// A warp's positions so far: online softmax (arXiv 1805.02867) of a lane's two heads.
struct Running {
    float maximum[2] = {-INFINITY, -INFINITY};
    float sum[2] = {0, 0}; ///< of the lane's own positions
    float out[2 * segments][4] = {}; ///< 16 numbers of a head as rows, heads as columns

    /// Scores become probabilities.
    __device__ __forceinline__ void update(float (&scores)[4])
    {
        float factor[2];
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            const float next = fmaxf(maximum[h], columnMax(fmaxf(scores[h], scores[h + 2])));
            factor[h] = exp2f(maximum[h] - next);
            maximum[h] = next;
            scores[h] = exp2f(scores[h] - next);
            scores[h + 2] = exp2f(scores[h + 2] - next);
            sum[h] = sum[h] * factor[h] + scores[h] + scores[h + 2];
        }
#pragma unroll
        for (auto &tile : out)
#pragma unroll
            for (int i = 0; i < 4; ++i)
                tile[i] *= factor[i % 2];
    }

    /// Adds the values, each times its probability, which counts as the sum of two halves.
    __device__ __forceinline__ void add(const float (&probabilities)[4], const Fragments &values)
    {
        std::uint32_t high[2];
        std::uint32_t low[2];
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const __half2 h = __floats2half2_rn(probabilities[2 * i], probabilities[2 * i + 1]);
            const float2 f = __half22float2(h);
            high[i] = transposed(bitsOf(h));
            low[i] = transposed(
                bitsOf(__floats2half2_rn(probabilities[2 * i] - f.x, probabilities[2 * i + 1] - f.y)));
        }
#pragma unroll
        for (int s = 0; s < segments; ++s) {
            const uint4 &u = values.upper[s];
            const uint4 &l = values.lower[s];
            const std::uint32_t first[4] = {transposed(u.x), transposed(u.y), transposed(l.x),
                                            transposed(l.y)};
            const std::uint32_t second[4] = {transposed(u.z), transposed(u.w), transposed(l.z),
                                             transposed(l.w)};
            multiplyTile<true>(out[2 * s], first, high[0], high[1]);
            multiplyTile<true>(out[2 * s], first, low[0], low[1]);
            multiplyTile<true>(out[2 * s + 1], second, high[0], high[1]);
            multiplyTile<true>(out[2 * s + 1], second, low[0], low[1]);
        }
    }

    __device__ __forceinline__ void publish(Shared &shared)
    {
        const int row = laneOf() / 4;
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            const int head = laneOf() % 4 * 2 + h;
            float total = sum[h];
#pragma unroll
            for (int distance = 4; distance < 32; distance *= 2)
                total += __shfl_xor_sync(0xFFFFFFFFU, total, distance);
            if (row == 0)
                shared.sums[warpOf()][head] = {maximum[h], total};
#pragma unroll
            for (int tile = 0; tile < 2 * segments; ++tile) {
                // What a lane's 16 bytes held stands in rows: see Fragments and add().
                const int column = tile / 2 * 32 + row / 2 * 8 + tile % 2 * 4 + row % 2;
                shared.out[warpOf()][head][column] = out[tile][h];
                shared.out[warpOf()][head][column + 2] = out[tile][h + 2];
            }
        }
    }
};

__device__ __forceinline__ void attendPart(Shared &shared, const Task &task, const Rows &keys,
                                           const Rows &values)
{
    const QueryFragments queries(shared);
    Running running;
    Fragments k;
    Fragments v;
    int position = task.begin + warpOf() * 16;
    if (position < task.end) {
        k.request(keys, position);
        v.request(values, position);
    }
    while (position < task.end) {
        float scores[4] = {};
        score(scores, k, queries);
        const int next = position + groupedTile;
        if (next < task.end)
            k.request(keys, next);
#pragma unroll
        for (int i = 0; i < 4; ++i)
            if (position + laneOf() / 4 + i / 2 * 8 >= task.end)
                scores[i] = -INFINITY;
        running.update(scores);
        running.add(scores, v);
        if (next < task.end)
            v.request(values, next);
        position = next;
    }
    running.publish(shared);
}

/// 2^(maximum - of): nothing where nothing was seen.
__device__ __forceinline__ float weightOf(float maximum, float of)
{
    return maximum == -INFINITY ? 0.0F : exp2f(maximum - of);
}

/// The warps' results: the whole, or a part of it for the last block to join.
__device__ __forceinline__ void joinWarps(const Shared &shared, const GroupedAttentionParams &p,
                                          const Task &task, std::int64_t item)
{
    const int n = p.heads.headDim;
    for (int i = static_cast<int>(threadIdx.x); i < task.heads * n; i += groupedThreads) {
        const int head = i / n;
        const int column = i % n;
        float maximum = -INFINITY;
#pragma unroll
        for (int w = 0; w < warps; ++w)
            maximum = fmaxf(maximum, shared.sums[w][head].x);
        float sum = 0;
        float out = 0;
#pragma unroll
        for (int w = 0; w < warps; ++w) {
            const float weight = weightOf(shared.sums[w][head].x, maximum);
            sum = fmaf(weight, shared.sums[w][head].y, sum);
            out = fmaf(weight, shared.out[w][head][column], out);
        }
        if (task.parts == 1) {
            p.attended[(static_cast<std::int64_t>(task.token) * p.heads.heads + task.firstHead) * n + i] =
                out / sum;
            continue;
        }
        p.partial[item * groupedHeads * n + i] = out;
        if (column == 0)
            reinterpret_cast<float2 *>(p.partialSums)[item * groupedHeads + head] = {maximum, sum};
    }
}

/// Weights of a head's parts in shared memory, their sum being 1; a warp.
__device__ __forceinline__ void weighParts(float *weights, const float2 *sums, int parts)
{
    float maximum = -INFINITY;
    for (int i = laneOf(); i < parts; i += 32)
        maximum = fmaxf(maximum, __ldcg(sums + i * groupedHeads).x);
    maximum = warpMax(maximum);
    float total = 0;
    for (int i = laneOf(); i < parts; i += 32) {
        const float2 part = __ldcg(sums + i * groupedHeads);
        weights[i] = weightOf(part.x, maximum);
        total += weights[i] * part.y;
    }
    total = warpSum(total);
    for (int i = laneOf(); i < parts; i += 32)
        weights[i] /= total;
}

__device__ __forceinline__ void joinParts(Shared &shared, const GroupedAttentionParams &p, const Task &task,
                                          std::int64_t firstItem)
{
    const int n = p.heads.headDim;
    auto *weights = &shared.out[0][0][0]; // [heads][decodeMaxSplits]
    static_assert(sizeof(Shared::out) >= sizeof(float) * groupedHeads * decodeMaxSplits);
    if (warpOf() < task.heads)
        weighParts(weights + warpOf() * decodeMaxSplits,
                   reinterpret_cast<const float2 *>(p.partialSums) + firstItem * groupedHeads + warpOf(),
                   task.parts);
    __syncthreads();
    for (int i = 4 * static_cast<int>(threadIdx.x); i < task.heads * n; i += 4 * groupedThreads) {
        const float *from = p.partial + firstItem * groupedHeads * n + i;
        const float *w = weights + i / n * decodeMaxSplits;
        float4 sum{};
#pragma unroll 8
        for (int part = 0; part < task.parts; ++part) {
            const float4 v = __ldcg(
                reinterpret_cast<const float4 *>(from + static_cast<std::int64_t>(part) * groupedHeads * n));
            sum = {fmaf(v.x, w[part], sum.x), fmaf(v.y, w[part], sum.y), fmaf(v.z, w[part], sum.z),
                   fmaf(v.w, w[part], sum.w)};
        }
        *reinterpret_cast<float4 *>(
            p.attended + (static_cast<std::int64_t>(task.token) * p.heads.heads + task.firstHead) * n + i) =
            sum;
    }
}

/// Whether this block is the last of its token and group to have come here.
__device__ __forceinline__ bool isLastPart(Shared &shared, std::uint32_t *arrivals, int parts)
{
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        shared.isLast = atomicAdd(arrivals, 1U) + 1 == static_cast<unsigned>(parts);
        if (shared.isLast)
            *arrivals = 0;
    }
    __syncthreads();
    return shared.isLast;
}

} // namespace

/// A block takes a part of the positions for one token and group of heads.
extern "C" __global__ void __launch_bounds__(groupedThreads)
    decode_attend_grouped(const __grid_constant__ GroupedAttentionParams p)
{
    __shared__ __align__(16) Shared shared;
    prefetchShare(p.next, static_cast<int>(blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z)),
                  static_cast<int>(gridDim.x * gridDim.y * gridDim.z));
    const HeadsParams &h = p.heads;
    const int firstPosition = __ldcg(&p.step->firstPosition);
    const Task task(p, firstPosition);
    __half *cache = cacheOf(p);
    waitForKernelBefore();
    if (task.part >= task.parts)
        return;
    stageQueries(shared, p, task);
    stageRows(shared, p, task, cache, firstPosition);
    __syncthreads();
    const std::int64_t keyWidth = h.keyHeads * h.headDim;
    const Rows keys{cache + task.keyHead * h.headDim,
                    shared.rows[0][0],
                    2 * keyWidth,
                    firstPosition,
                    max(task.end - 1, 0),
                    h.headDim};
    Rows values = keys;
    values.cache += keyWidth;
    values.fresh = shared.rows[0][1];
    attendPart(shared, task, keys, values);
    __syncthreads();
    const std::int64_t group = static_cast<std::int64_t>(task.token) * gridDim.y + blockIdx.y;
    joinWarps(shared, p, task, group * p.splits + task.part);
    if (task.parts > 1 && isLastPart(shared, p.arrivals + group, task.parts))
        joinParts(shared, p, task, group * p.splits);
}

} // namespace bathyscope::kernels::cuda

// SPDX-License-Identifier: GPL-3.0-or-later
//
// One to eight consecutive tokens through a stack of layers in one launch: a block on every multiprocessor,
// stages with a barrier of the grid between them. Weights do not depend on what a stage waits for, so they
// are on their way while it waits.
#include "kernels/cuda/decode_attention.cuh"
#include "kernels/cuda/decode_experts.cuh"

namespace bathyscope::kernels::cuda {

namespace {

/// x[t] = row ids[t] of the embedding.
__device__ void embed(const StageContext &c)
{
    const DeviceMatrix &e = c.params.embedding;
    const int stride = c.blocks * decodeThreads;
    for (int i = c.block * decodeThreads + static_cast<int>(threadIdx.x); i < c.step.tokens * e.columns;
         i += stride) {
        const std::int64_t row = c.step.ids[i / e.columns];
        const int column = i % e.columns;
        float value = widen(e.data, e.dtype, row * e.columns + column);
        if (e.scales)
            value *= e.scales[row / 128 * e.scaleColumns + column / 128];
        c.params.buffers.x[i] = value;
    }
}

__device__ void computeLogits(const StageContext &c)
{
    const DeviceMatrix &head = c.params.head;
    const SplitVectors x = splitVectors(c.shared, head.columns);
    const int fit = tokensThatFit(head.columns, c.sharedBytes);
    for (int begin = c.params.logitsFrom; begin < c.step.tokens; begin += fit) {
        const int count = min(fit, c.step.tokens - begin);
        stageTokens(c, x, c.params.buffers.x, c.params.finalNorm, head.columns, head.dtype, begin, count);
        multiplyRows(
            c.state, c.rings, head, x, count, 0, head.rows, c.block, c.blocks,
            [&](int t, int r, float value) {
                c.params.buffers
                    .logits[static_cast<std::int64_t>(begin + t - c.params.logitsFrom) * head.rows + r] =
                    value;
            });
        __syncthreads();
    }
}

__device__ void loadLayer(BlockState &state, const DeviceLayer *layer)
{
    static_assert(sizeof(DeviceLayer) % 4 == 0);
    __syncthreads();
    for (unsigned i = threadIdx.x; i < sizeof(DeviceLayer) / 4; i += decodeThreads)
        reinterpret_cast<std::uint32_t *>(&state.layer)[i] =
            reinterpret_cast<const std::uint32_t *>(layer)[i];
    __syncthreads();
}

__device__ void pass(GridBarrier &barrier)
{
    barrier.arrive();
    barrier.wait();
}

__device__ void prefetch(const StageContext &c, const DeviceMatrix &m)
{
    prefetchShare(m.data, bytesOf(m), c.block, c.blocks);
}

/// The attention of a layer. Between arriving at a barrier and waiting, the memory is kept busy with what
/// will be needed whatever the tokens are.
__device__ void runAttention(const StageContext &c, GridBarrier &barrier, __half *cache)
{
    const DeviceLayer &w = c.state.layer;
    projectLatents(c, w);
    barrier.arrive();
    prefetch(c, w.qA.rows > 0 ? w.qB : w.kvB);
    barrier.wait();
    if (w.qA.rows > 0) {
        projectQuery(c, w);
        barrier.arrive();
        prefetch(c, w.kvB);
        barrier.wait();
    }
    absorbQueries(c, w, cache);
    barrier.arrive();
    prefetch(c, w.o);
    barrier.wait();
    attend(c, cache);
    barrier.arrive();
    prefetch(c, w.gate);
    barrier.wait();
    joinAndExpand(c, w);
    barrier.arrive();
    prefetch(c, w.up);
    barrier.wait();
    projectOutput(c, w);
    barrier.arrive();
    prefetch(c, w.down);
    barrier.wait();
}

__device__ void runFeedForward(const StageContext &c, GridBarrier &barrier, const DeviceLayer *next,
                               DecodeChoice *choices)
{
    const DeviceLayer &w = c.state.layer;
    bool staged = false;
    if (w.router.rows > 0) {
        routerLogits(c, w);
        barrier.arrive();
        staged = inputFits(c);
        if (staged)
            stageInput(c, w, 0, c.step.tokens);
        barrier.wait();
        chooseExperts(c, w, choices);
    }
    feedForwardIn(c, w, staged);
    barrier.arrive();
    prefetchDown(c, w);
    barrier.wait();
    feedForwardOut(c, w);
    if (next) {
        barrier.arrive();
        prefetch(c, next->qA.rows > 0 ? next->qA : next->qB);
        prefetch(c, next->kvA);
        loadLayer(c.state, next);
        barrier.wait();
    } else if (c.params.head.rows > 0) {
        constexpr std::int64_t most = 16 << 20;
        barrier.arrive();
        prefetchShare(c.params.head.data, min(bytesOf(c.params.head), most), c.block, c.blocks);
        barrier.wait();
    }
}

} // namespace

extern "C" __global__ void __launch_bounds__(decodeThreads, 1)
    decodeStack(const __grid_constant__ DecodeParams params, const __grid_constant__ DecodeStep step)
{
    extern __shared__ __align__(128) unsigned char shared[];
    BlockState &state = *reinterpret_cast<BlockState *>(shared);
    std::uint32_t dynamicBytes = 0;
    asm("mov.u32 %0, %%dynamic_smem_size;" : "=r"(dynamicBytes));
    const StageContext c{.params = params,
                         .step = step,
                         .state = state,
                         .shared = shared + blockStateBytes,
                         .sharedBytes = static_cast<int>(dynamicBytes) - blockStateBytes - weightRingBytes,
                         .rings = reinterpret_cast<WeightRing *>(shared + dynamicBytes - weightRingBytes),
                         .block = static_cast<int>(blockIdx.x),
                         .blocks = static_cast<int>(gridDim.x)};
    if (threadIdx.x == 0)
        state.zeros = uint4{};
    GridBarrier barrier(params.buffers.arrivals);
    if (params.embedding.rows > 0) {
        embed(c);
        pass(barrier);
    }
    int moeLayer = 0;
    loadLayer(state, params.layers);
    for (int i = 0; i < params.layerCount; ++i) {
        const bool routes = state.layer.router.rows > 0;
        runAttention(c, barrier, static_cast<__half *>(params.cache) + i * params.cacheLayerStride);
        runFeedForward(c, barrier, i + 1 < params.layerCount ? params.layers + i + 1 : nullptr,
                       params.buffers.choices + moeLayer * step.tokens * params.shape.chosen);
        moeLayer += routes;
    }
    if (params.head.rows > 0)
        computeLogits(c);
    barrier.leave();
}

} // namespace bathyscope::kernels::cuda

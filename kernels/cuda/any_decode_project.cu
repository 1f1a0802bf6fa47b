// SPDX-License-Identifier: GPL-3.0-or-later
//
// The beginning of a step, products of matrices with a few tokens, normalised on the way, and the choice of
// experts.
#include "kernels/cuda/decode_routing.cuh"
#include "kernels/cuda/decode_tiles.cuh"

namespace bathyscope::kernels::cuda {

namespace {

/// One stored element, without its block's scale.
__device__ __forceinline__ float widenElement(const void *data, DType dtype, std::int64_t index)
{
    switch (dtype) {
    case DType::F32:
        return static_cast<const float *>(data)[index];
    case DType::F16:
        return __half2float(static_cast<const __half *>(data)[index]);
    case DType::BF16:
        return __bfloat162float(static_cast<const __nv_bfloat16 *>(data)[index]);
    default:
        return halvesToFloats(widenE4m3ToHalves(static_cast<const std::uint8_t *>(data)[index])).x
            * e4m3Factor;
    }
}

template <DType dtype, bool wide>
__device__ __forceinline__ void project(const ProjectParams &p)
{
    extern __shared__ __align__(16) std::byte shared[];
    __shared__ TileParts<wide> parts;
    const int columns = p.first.columns;
    const int rowBytes = rowBytesOf<dtype>(columns);
    const int secondTile = (p.first.rows + tileRows - 1) / tileRows;
    const int thirdTile = secondTile + (p.second.rows + tileRows - 1) / tileRows;
    const int tiles = thirdTile + (p.third.rows + tileRows - 1) / tileRows;
    // Values: a choice between structs or references would go through local memory.
    const auto choose = [&](int tile, auto first, auto second, auto third) {
        return tile < secondTile ? first : tile < thirdTile ? second : third;
    };
    const auto firstRow = [&](int tile) {
        return (tile - choose(tile, 0, secondTile, thirdTile)) * tileRows;
    };
    const auto rowsOf = [&](int tile) {
        const void *data = choose(tile, p.first.data, p.second.data, p.third.data);
        const float *scales = choose(tile, p.first.scales, p.second.scales, p.third.scales);
        const int last = choose(tile, p.first.rows, p.second.rows, p.third.rows) - 1;
        const int row = firstRow(tile) + laneOf() / 4;
        return LaneRows{rowOf(data, scales, p.first.scaleColumns, min(row, last), rowBytes),
                        rowOf(data, scales, p.first.scaleColumns, min(row + 8, last), rowBytes)};
    };
    TileProduct<dtype, wide, decltype(rowsOf)> product(columns, rowsOf);
    if (static_cast<int>(blockIdx.x) < tiles) // else the compiler would wait first
        product.requestFirst(static_cast<int>(blockIdx.x));
    const Normaliser normaliser(p.norm, columns);
    waitForKernelBefore();
    const SplitTokens<dtype> x(shared, columns);
    if (p.norm)
        normaliser.stage(x, p.x, p.epsilon, p.tokens);
    else
        stageTokens(x, p.x, columns, p.tokens);
    __syncthreads();
    product.run(x, p.tokens, parts, static_cast<int>(blockIdx.x), static_cast<int>(gridDim.x), tiles,
                [&](int tile, int buffer) {
                    const int token = static_cast<int>(threadIdx.x) / tileRows;
                    const int rows = choose(tile, p.first.rows, p.second.rows, p.third.rows);
                    const int row = firstRow(tile) + static_cast<int>(threadIdx.x) % tileRows;
                    if (token >= p.tokens || row >= rows)
                        return;
                    float *out = choose(tile, p.firstOut, p.secondOut, p.thirdOut)
                        + static_cast<std::int64_t>(token) * rows + row;
                    *out = parts.sum(buffer, static_cast<int>(threadIdx.x) % tileRows, token)
                        + (p.add ? __ldcg(out) : 0.0F);
                });
}

/// The router's logits; then the block that is the last to have its own chooses experts from all of them.
template <DType dtype, bool wide>
__device__ __forceinline__ void route(const RouteParams &p)
{
    extern __shared__ __align__(16) std::byte shared[];
    __shared__ RoutingTable routing;
    __shared__ bool isLast;
    project<dtype, wide>(p.logits);
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0)
        isLast = atomicAdd(p.arrivals, 1U) + 1 == gridDim.x;
    __syncthreads();
    if (!isLast)
        return;
    if (threadIdx.x == 0)
        *p.arrivals = 0;
    chooseExperts(routing, reinterpret_cast<float *>(shared), p);
    static_assert(sizeof(RoutingTable) % 4 == 0);
    for (unsigned i = threadIdx.x; i < sizeof(RoutingTable) / 4; i += blockDim.x)
        reinterpret_cast<std::uint32_t *>(p.table)[i] = reinterpret_cast<const std::uint32_t *>(&routing)[i];
    const int token = static_cast<int>(threadIdx.x) / decodeMaxChosen;
    const int slot = static_cast<int>(threadIdx.x) % decodeMaxChosen;
    if (token < p.logits.tokens && slot < p.shape.chosen)
        p.choices[token * p.shape.chosen + slot] = routing.choices[token][slot];
}

} // namespace

extern "C" __global__ void __launch_bounds__(decodeThreads)
    decode_begin(const __grid_constant__ BeginParams p, const __grid_constant__ DecodeStep step)
{
    static_assert(sizeof(DecodeStep) % 4 == 0);
    if (blockIdx.x == 0)
        for (unsigned i = threadIdx.x; i < sizeof(DecodeStep) / 4; i += decodeThreads)
            reinterpret_cast<std::uint32_t *>(p.step)[i] = reinterpret_cast<const std::uint32_t *>(&step)[i];
    if (p.embedding.rows == 0)
        return;
    const DeviceMatrix &e = p.embedding;
    for (int i = static_cast<int>(blockIdx.x * decodeThreads + threadIdx.x); i < step.tokens * e.columns;
         i += static_cast<int>(gridDim.x) * decodeThreads) {
        const std::int64_t row = step.ids[i / e.columns];
        const int column = i % e.columns;
        float value = widenElement(e.data, e.dtype, row * e.columns + column);
        if (e.scales)
            value *= e.scales[row / 128 * e.scaleColumns + column / 128];
        p.x[i] = value;
    }
}

BATHYSCOPE_DECODE_KERNELS(decode_project, ProjectParams, project)
BATHYSCOPE_DECODE_KERNELS(decode_route, RouteParams, route)

} // namespace bathyscope::kernels::cuda

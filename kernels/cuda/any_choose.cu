// SPDX-License-Identifier: GPL-3.0-or-later
//
// The end of a step: softmax, best candidates and the next token from logits that stay on the card. The first
// kernel gives the maximum and the sums of every slice of the vocabulary. The second, one block, takes the
// n-th largest of the maxima: at least n tokens are not below it, and few more, all in the slices whose
// maxima are not. Only these are read again, and what is not below is sorted.
#include "kernels/cuda/choose_params.h"
#include "kernels/cuda/decode_common.cuh"

namespace bathyscope::kernels::cuda {

namespace {

constexpr int scanWarps = 16;
constexpr int chooseThreads = 1024;
constexpr int slicesEach = chooseSlices / chooseThreads; // of a thread

/// Orders as floats; 0 is below all of them.
__device__ __forceinline__ std::uint32_t orderOf(float value)
{
    const std::uint32_t bits = __float_as_uint(value);
    return bits ^ ((bits & 0x80000000U) != 0 ? 0xFFFFFFFFU : 0x80000000U);
}

__device__ __forceinline__ float valueOf(std::uint32_t order)
{
    return __uint_as_float(order ^ ((order & 0x80000000U) != 0 ? 0x80000000U : 0xFFFFFFFFU));
}

/// Sums of exponentials relative to the largest logit so far.
struct Sums {
    float maximum = -INFINITY;
    float sum = 0;
    float tempered = 0;

    __device__ __forceinline__ void add(float otherMaximum, float otherSum, float otherTempered,
                                        float inverse)
    {
        const float larger = fmaxf(maximum, otherMaximum);
        if (larger == -INFINITY)
            return;
        sum = sum * expf(maximum - larger) + otherSum * expf(otherMaximum - larger);
        tempered = tempered * expf((maximum - larger) * inverse)
            + otherTempered * expf((otherMaximum - larger) * inverse);
        maximum = larger;
    }
};

__device__ __forceinline__ float inverseTemperature(const ChooseSettings *settings)
{
    const float temperature = __ldcg(&settings->temperature);
    return temperature > 0 ? 1.0F / temperature : 1.0F;
}

/// Sum over the block; `room` is left for the next call only behind a barrier.
__device__ __forceinline__ float blockSum(float value, float *room)
{
    value = warpSum(value);
    if (laneOf() == 0)
        room[warpOf()] = value;
    __syncthreads();
    return warpSum(room[laneOf()]);
}

/// Numbers the threads for which `holds`, in their order, from `count` on; adds them to it.
__device__ __forceinline__ int numberThreads(bool holds, int &count, int *room)
{
    const std::uint32_t mask = __ballot_sync(0xFFFFFFFFU, holds);
    if (laneOf() == 0)
        room[warpOf()] = __popc(mask);
    __syncthreads();
    const int own = room[laneOf()];
    const int before = __reduce_add_sync(0xFFFFFFFFU, laneOf() < warpOf() ? own : 0);
    const int number = count + before + __popc(mask & ((1U << laneOf()) - 1U));
    count += __reduce_add_sync(0xFFFFFFFFU, own);
    __syncthreads();
    return number;
}

/// A number that n of all threads' orders, or up to a quarter more, are not below; more where they tie, and 0
/// where there are fewer than n.
__device__ __forceinline__ std::uint32_t thresholdFor(const std::uint32_t (&orders)[slicesEach], int n)
{
    std::uint32_t threshold = 0;
#pragma unroll 1
    for (std::uint32_t bit = 0x80000000U; bit != 0; bit >>= 1U) {
        const std::uint32_t trial = threshold | bit;
        int count = 0;
        for (int i = 0; i < slicesEach; ++i)
            count += __syncthreads_count(orders[i] >= trial);
        if (count < n)
            continue;
        threshold = trial;
        if (count <= n + n / 4)
            break;
    }
    return threshold;
}

/// Descending, in place; `size` is a power of two.
__device__ __forceinline__ void sortKeys(unsigned long long *keys, int size)
{
#pragma unroll 1
    for (int run = 2; run <= size; run *= 2)
#pragma unroll 1
        for (int distance = run / 2; distance > 0; distance /= 2) {
            __syncthreads();
            for (int pair = static_cast<int>(threadIdx.x); pair < size / 2; pair += chooseThreads) {
                const int low = 2 * pair - (pair & (distance - 1));
                const bool descending = (low & run) == 0;
                const unsigned long long a = keys[low];
                const unsigned long long b = keys[low + distance];
                if ((a < b) == descending) {
                    keys[low] = b;
                    keys[low + distance] = a;
                }
            }
        }
    __syncthreads();
}

/// What the stages of the sampler start from.
struct Drawable {
    int count; ///< candidates
    bool complete; ///< no other token can be drawn
    bool known; ///< false: the candidates cannot tell
};

/// The candidates that top-k leaves; `scaled` are their logits over the temperature.
__device__ __forceinline__ Drawable keepTopK(const float *scaled, int count, int vocabulary, int topK)
{
    const bool complete = count == vocabulary;
    if (topK == 0 || topK >= vocabulary)
        return {count, complete, true};
    if (topK > count)
        return {count, complete, false};
    int kept = topK;
    while (kept < count && scaled[kept] >= scaled[topK - 1])
        ++kept;
    return {kept, true, kept < count || complete};
}

/// The place of the drawn token in descending probabilities, or -1; one thread. The same stages as in
/// engine/executor/token_choice.cpp.
__device__ int drawPlace(const float *probabilities, const Drawable &from, const ChooseSettings &s)
{
    int kept = from.count;
    bool reached = false;
    if (s.topP < 1) {
        float mass = 0;
        for (kept = 0; kept < from.count && (kept == 0 || mass < s.topP); ++kept)
            mass += probabilities[kept];
        reached = mass >= s.topP;
    }
    const float least = s.minP * probabilities[0];
    while (kept > 1 && probabilities[kept - 1] < least)
        --kept;
    const bool open = !from.complete && kept == from.count && !reached;
    if (open && (s.topP < 1 || s.minP > 0))
        return -1;
    double target = s.uniform;
    if (!open) {
        double sum = 0;
        for (int i = 0; i < kept; ++i)
            sum += probabilities[i];
        target *= sum;
    }
    for (int i = 0; i < kept; ++i) {
        target -= probabilities[i];
        if (target < 0)
            return i;
    }
    return open ? -1 : kept - 1;
}

} // namespace

extern "C" __global__ void __launch_bounds__(32 * scanWarps)
    choose_scan(const __grid_constant__ ChooseParams p)
{
    constexpr int together = 4; // loads in flight
    __shared__ Sums parts[scanWarps][32];
    const float inverse = inverseTemperature(p.settings);
    const int slice = static_cast<int>(blockIdx.x) * 32 + laneOf();
    waitForKernelBefore();
    Sums mine;
    for (int first = slice + warpOf() * chooseSlices; first < p.vocabulary;
         first += together * scanWarps * chooseSlices) {
        float values[together];
        float maximum = -INFINITY;
#pragma unroll
        for (int i = 0; i < together; ++i) {
            const int id = first + i * scanWarps * chooseSlices;
            values[i] = id < p.vocabulary ? __ldcg(p.logits + id) : -INFINITY;
            maximum = fmaxf(maximum, values[i]);
        }
        float sum = 0;
        float tempered = 0;
        if (maximum > -INFINITY)
#pragma unroll
            for (int i = 0; i < together; ++i) {
                sum += expf(values[i] - maximum);
                tempered += expf((values[i] - maximum) * inverse);
            }
        mine.add(maximum, sum, tempered, inverse);
    }
    parts[warpOf()][laneOf()] = mine;
    __syncthreads();
    if (warpOf() > 0)
        return;
    for (int w = 1; w < scanWarps; ++w) {
        const Sums &other = parts[w][laneOf()];
        mine.add(other.maximum, other.sum, other.tempered, inverse);
    }
    p.maxima[slice] = mine.maximum;
    p.sums[slice] = mine.sum;
    p.tempered[slice] = mine.tempered;
}

extern "C" __global__ void __launch_bounds__(chooseThreads, 1)
    choose_merge(const __grid_constant__ ChooseParams p)
{
    __shared__ unsigned long long keys[chooseRoom];
    __shared__ float probabilities[chooseMaxCandidates]; // first logits over the temperature
    __shared__ std::uint16_t slices[chooseSlices];
    __shared__ float floatRoom[4][32];
    __shared__ int intRoom[32];
    __shared__ int found;
    __shared__ Drawable drawable;
    const int thread = static_cast<int>(threadIdx.x);
    ChooseSettings settings;
    settings.candidates = min(__ldcg(&p.settings->candidates), p.vocabulary);
    settings.temperature = __ldcg(&p.settings->temperature);
    settings.topK = __ldcg(&p.settings->topK);
    settings.topP = __ldcg(&p.settings->topP);
    settings.minP = __ldcg(&p.settings->minP);
    settings.uniform = __ldcg(&p.settings->uniform);
    const float inverse = inverseTemperature(p.settings);
    if (thread == 0)
        found = 0;
    waitForKernelBefore();
    for (int i = thread; i < p.traceWords; i += chooseThreads)
        p.traceOut[i] = __ldcg(reinterpret_cast<const unsigned long long *>(p.trace) + i);

    float maxima[slicesEach];
    float sums[slicesEach];
    float tempered[slicesEach];
    std::uint32_t orders[slicesEach];
    std::uint32_t largest = 0;
    for (int i = 0; i < slicesEach; ++i) {
        const int slice = thread + i * chooseThreads;
        maxima[i] = __ldcg(p.maxima + slice);
        sums[i] = __ldcg(p.sums + slice);
        tempered[i] = __ldcg(p.tempered + slice);
        orders[i] = slice < p.vocabulary ? orderOf(maxima[i]) : 0;
        largest = max(largest, orders[i]);
    }
    largest = __reduce_max_sync(0xFFFFFFFFU, largest);
    if (laneOf() == 0)
        intRoom[warpOf()] = static_cast<int>(largest);
    __syncthreads();
    const float maximum =
        valueOf(__reduce_max_sync(0xFFFFFFFFU, static_cast<std::uint32_t>(intRoom[laneOf()])));
    float total = 0;
    float temperedTotal = 0;
    for (int i = 0; i < slicesEach; ++i) {
        total += sums[i] * expf(maxima[i] - maximum);
        temperedTotal += tempered[i] * expf((maxima[i] - maximum) * inverse);
    }
    total = blockSum(total, floatRoom[0]);
    temperedTotal = blockSum(temperedTotal, floatRoom[1]);

    const std::uint32_t threshold = thresholdFor(orders, settings.candidates);
    int taken = 0;
    float rest = 0;
    for (int i = 0; i < slicesEach; ++i) {
        const bool take = orders[i] >= threshold && orders[i] > 0;
        const int number = numberThreads(take, taken, intRoom);
        if (take)
            slices[number] = static_cast<std::uint16_t>(thread + i * chooseThreads);
        else
            rest += sums[i] * expf(maxima[i] - maximum);
    }
    __syncthreads();
    const int depth = (p.vocabulary + chooseSlices - 1) / chooseSlices; // tokens of a slice
    for (int i = thread; i < taken * depth; i += chooseThreads) {
        const int id = slices[i % taken] + i / taken * chooseSlices;
        if (id >= p.vocabulary)
            continue;
        const float logit = __ldcg(p.logits + id);
        if (orderOf(logit) < threshold) {
            rest += expf(logit - maximum);
            continue;
        }
        const int at = atomicAdd(&found, 1);
        if (at < chooseRoom)
            keys[at] = static_cast<unsigned long long>(orderOf(logit)) << 32U
                | (0xFFFFFFFFU - static_cast<std::uint32_t>(id));
    }
    __syncthreads();
    if (found > chooseRoom) {
        if (thread == 0) {
            p.result->count = 0;
            p.result->drawn = -1;
        }
        return;
    }
    int size = 2;
    while (size < found)
        size *= 2;
    for (int i = found + thread; i < size; i += chooseThreads)
        keys[i] = 0;
    sortKeys(keys, size);

    const int count = min(settings.candidates, found);
    for (int i = count + thread; i < found; i += chooseThreads)
        rest += expf(valueOf(static_cast<std::uint32_t>(keys[i] >> 32U)) - maximum);
    rest = blockSum(rest, floatRoom[2]);
    const float scale = settings.temperature > 0 ? settings.temperature : 1.0F;
    const bool mine = thread < count;
    float scaled = -INFINITY;
    if (mine) {
        const float logit = valueOf(static_cast<std::uint32_t>(keys[thread] >> 32U));
        p.result->best[thread] = {static_cast<int>(0xFFFFFFFFU - static_cast<std::uint32_t>(keys[thread])),
                                  logit};
        scaled = logit / scale;
        probabilities[thread] = scaled;
    }
    __syncthreads();
    if (thread == 0)
        drawable = keepTopK(probabilities, count, p.vocabulary, settings.topK);
    __syncthreads();
    const bool limited = settings.topK > 0 && settings.topK < p.vocabulary;
    const float weight = expf(scaled - maximum / scale);
    const float limitedTotal = blockSum(thread < drawable.count ? weight : 0.0F, floatRoom[3]);
    if (mine)
        probabilities[thread] = weight / (limited ? limitedTotal : temperedTotal);
    __syncthreads();
    if (thread != 0)
        return;
    p.result->count = count;
    p.result->logSumExp = maximum + logf(total);
    p.result->restMass = fminf(rest / total, 1.0F);
    p.result->drawn = settings.temperature <= 0 ? 0
        : drawable.known                        ? drawPlace(probabilities, drawable, settings)
                                                : -1;
}

} // namespace bathyscope::kernels::cuda

// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/library/read_bandwidth.h"

#include "engine/executor/thread_team.h"
#ifdef BATHYSCOPE_HAS_CUDA
#include "kernels/cuda/runtime.h"
#endif

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace bathyscope {

namespace {

constexpr std::int64_t measuredBytes = std::int64_t(256) << 20U; // more than caches hold
constexpr int rounds = 3; // the best counts

double measureCpu()
{
    constexpr std::int64_t words = measuredBytes / std::int64_t(sizeof(std::uint64_t));
    constexpr std::int64_t piece = std::int64_t(1) << 17U;
    ThreadTeam team(std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
    const std::vector<std::uint64_t> memory(static_cast<std::size_t>(words), 1);
    std::vector<std::uint64_t> sums(static_cast<std::size_t>(words / piece));
    double best = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        team.run([&](ThreadTeam::Member &member) {
            member.forEach(words, piece, [&](std::int64_t first, std::int64_t end) {
                std::uint64_t sum = 0;
                for (std::int64_t w = first; w < end; ++w)
                    sum += memory[static_cast<std::size_t>(w)];
                sums[static_cast<std::size_t>(first / piece)] += sum; // kept, so that it is not left out
            });
        });
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
        best = std::max(best, double(measuredBytes) / time.count());
    }
    // Every word is a one: a sum of anything else was not read.
    return sums.front() == std::uint64_t(rounds) * piece ? best : 0;
}

#ifdef BATHYSCOPE_HAS_CUDA

/// A copy reads and writes each byte.
double measureGpu(int ordinal)
{
    namespace cuda = kernels::cuda;
    try {
        const cuda::Device card(ordinal);
        card.makeCurrent();
        const cuda::DeviceBuffer from(measuredBytes);
        const cuda::DeviceBuffer to(measuredBytes);
        const cuda::Stream stream;
        double best = 0;
        for (int i = 0; i <= rounds; ++i) {
            const cuda::Event begin;
            const cuda::Event end;
            begin.record(stream.get());
            cuda::copyOnDevice(to.as(), from.as(), measuredBytes, stream);
            end.record(stream.get());
            end.synchronize();
            if (i > 0) // the first one wakes the card
                best = std::max(best, 2 * double(measuredBytes) / end.secondsSince(begin));
        }
        return best;
    } catch (const cuda::CudaError &) {
        return 0; // too little memory is free: no estimate
    }
}

#endif

} // namespace

double measureReadBandwidth(const std::string &device)
{
#ifdef BATHYSCOPE_HAS_CUDA
    if (device.starts_with("cuda:"))
        return measureGpu(std::stoi(device.substr(5)));
#endif
    return device == "cpu" ? measureCpu() : 0;
}

} // namespace bathyscope

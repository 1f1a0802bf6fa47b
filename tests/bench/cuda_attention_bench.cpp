// SPDX-License-Identifier: GPL-3.0-or-later
//
// Bytes of cache that latent attention reads a second on a GPU: one token, 16 heads, 65,536 positions, with
// the joining of its parts. Limit: 3.0 TB/s on an H200.
#include "kernels/cuda/decode_kernels.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace bathyscope::kernels;
using namespace bathyscope::kernels::cuda;

constexpr std::int32_t heads = 16;
constexpr std::int32_t nope = 128;
constexpr std::int32_t rope = 64;
constexpr std::int32_t value = 128;
constexpr std::int32_t latent = 512;
constexpr std::int32_t width = latent + rope;
constexpr std::int32_t positions = 65536;
constexpr std::int32_t caches = 4; ///< more than the L2 cache holds

/// Random halves of size 0.5 to 1, or zeros.
DeviceBuffer halves(std::size_t count, std::mt19937 &random)
{
    std::vector<std::uint16_t> values(count);
    for (std::uint16_t &bits : values)
        bits = static_cast<std::uint16_t>(0x3800U | (random() & 0x83FFU));
    DeviceBuffer buffer(count * sizeof(std::uint16_t));
    buffer.upload(values.data(), buffer.size());
    return buffer;
}

DeviceBuffer floats(std::size_t count)
{
    const std::vector<float> values(count, 0.01F);
    DeviceBuffer buffer(count * sizeof(float));
    buffer.upload(values.data(), buffer.size());
    return buffer;
}

/// Seconds for one token.
double measure(const DeviceInfo &info)
{
    Stream stream;
    const DecodeKernels kernels(info, stream);
    std::mt19937 random(1);
    const DeviceBuffer cache = halves(std::size_t(caches) * positions * width, random);
    const DeviceBuffer kvB = halves(std::size_t(heads) * (nope + value) * latent, random);
    const DeviceBuffer absorbed = floats(std::size_t(heads) * width);
    const std::int32_t splits = kernels.splits(1, heads);
    const DeviceBuffer partial = floats(std::size_t(splits) * decodeHeadGroup * latent);
    const DeviceBuffer sums = floats(std::size_t(splits) * decodeHeadGroup * 2);
    const DeviceBuffer attended = floats(std::size_t(heads) * value);
    const DeviceBuffer step(sizeof(DecodeStep));
    DecodeStep host;
    host.tokens = 1;
    host.firstPosition = positions - 1;
    host.cache = cache.as();
    host.cacheLayerStride = std::int64_t(positions) * width;
    step.upload(&host, sizeof(host));
    AttentionParams p;
    p.step = step.as<DecodeStep>();
    p.kvB = {.data = kvB.as(),
             .rows = heads * (nope + value),
             .columns = latent,
             .scaleColumns = latent / 128,
             .dtype = DType::F16};
    p.absorbed = absorbed.as<float>();
    p.partial = partial.as<float>();
    p.partialSums = sums.as<float>();
    p.attended = attended.as<float>();
    p.heads = heads;
    p.nope = nope;
    p.rope = rope;
    p.value = value;
    p.latent = latent;
    p.tokens = 1;
    p.splits = splits;
    p.softmaxScale = 0.1F;
    constexpr int rounds = 10;
    const Graph graph = stream.capture([&] {
        for (int i = 0; i < rounds * caches; ++i) {
            p.layer = i % caches;
            kernels.attend(p);
            kernels.expand(p);
        }
    });
    graph.launch(stream.get());
    std::vector<double> seconds;
    for (int i = 0; i < 9; ++i) {
        const Event begin;
        const Event end;
        begin.record(stream.get());
        graph.launch(stream.get());
        end.record(stream.get());
        end.synchronize();
        seconds.push_back(end.secondsSince(begin) / (rounds * caches));
    }
    std::nth_element(seconds.begin(), seconds.begin() + 4, seconds.end());
    return seconds[4];
}

} // namespace

int main()
{
    try {
        std::string why;
        const std::vector<DeviceInfo> cards = listDevices(&why);
        if (cards.empty()) {
            std::printf("no GPU: %s\n", why.c_str());
            return 0;
        }
        const Device device(0);
        device.makeCurrent();
        const double seconds = measure(cards.front());
        const double bytes = double(positions) * width * 2;
        std::printf("%s: latent attention, 16 heads, 65,536 positions: %.1f us, %.2f TB/s (limit 3.0 on an "
                    "H200)\n",
                    cards.front().name.c_str(), seconds * 1e6, bytes / seconds * 1e-12);
    } catch (const std::exception &e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
    return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is done to a chunk's rows between the products, against double precision and the CPU's own code.
#include "engine/executor/rope_table.h"
#include "engine/executor/router.h"
#include "kernels/cuda/prefill_kernels.h"
#include "tests/kernels/cuda/card.h"
#include "tests/kernels/cuda/device_arrays.h"
#include "tests/kernels/random_matrix.h"

#include <algorithm>

namespace bathyscope::kernels::cuda {
namespace {

class ChunkRows : public Card {
protected:
    void SetUp() override
    {
        Card::SetUp();
        if (IsSkipped())
            return;
        stream = std::make_unique<Stream>();
        kernels = std::make_unique<PrefillKernels>(listDevices(nullptr)[0], *stream);
    }

    struct AttentionShape {
        int tokens, firstPosition, heads, nope, rope, value;
        int sharing = 1;
    };
    void checkAttention(const AttentionShape &s, bool halves);
    void checkRouter(const MoeConfig &config, bool bias);

    std::unique_ptr<Stream> stream;
    std::unique_ptr<PrefillKernels> kernels;
    std::mt19937 random{11};
};

/// Rotates pairs of `row` in double precision.
void rotate(double *row, int n, bool halves, const float *cosines, const float *sines)
{
    for (int i = 0; i < n / 2; ++i) {
        double &x = row[halves ? i : 2 * i];
        double &y = row[halves ? i + n / 2 : 2 * i + 1];
        const double cosine = double(cosines[i]);
        const double sine = double(sines[i]);
        const double turned = x * cosine - y * sine;
        y = x * sine + y * cosine;
        x = turned;
    }
}

void ChunkRows::checkAttention(const AttentionShape &s, bool halves)
{
    const int context = s.firstPosition + s.tokens;
    const auto size = [](auto... factors) { return (std::size_t(1) * ... * std::size_t(factors)); };
    const auto queries = toBf16(randomFloats(random, size(s.tokens, s.heads, s.nope + s.rope)));
    const auto expanded = toBf16(randomFloats(random, size(context, s.heads / s.sharing, s.nope + s.value)));
    const auto rotated = toBf16(randomFloats(random, size(context, s.rope)));
    std::vector<float> cosines;
    std::vector<float> sines;
    for (const float angle : randomFloats(random, size(s.tokens, s.rope / 2))) {
        cosines.push_back(std::cos(angle));
        sines.push_back(std::sin(angle));
    }
    const float scale = 1.0F / std::sqrt(float(s.nope + s.rope));
    std::vector<double> expected(size(s.tokens, s.heads, s.value));
    for (int t = 0; t < s.tokens; ++t)
        for (int h = 0; h < s.heads; ++h) {
            std::vector<double> query;
            for (int c = 0; c < s.nope + s.rope; ++c)
                query.push_back(
                    double(fromBf16(queries[size((t * s.heads + h), (s.nope + s.rope)) + size(c)])));
            rotate(query.data() + s.nope, s.rope, halves, cosines.data() + size(t, s.rope / 2),
                   sines.data() + size(t, s.rope / 2));
            double sum = 0;
            std::vector<double> out(size(s.value));
            for (int p = 0; p <= s.firstPosition + t; ++p) {
                const std::uint16_t *key =
                    &expanded[size(p * (s.heads / s.sharing) + h / s.sharing, s.nope + s.value)];
                double score = 0;
                for (int c = 0; c < s.nope + s.rope; ++c)
                    score += query[size(c)]
                        * double(fromBf16(c < s.nope ? key[c] : rotated[size(p, s.rope) + size(c - s.nope)]));
                const double weight = std::exp(score * double(scale));
                sum += weight;
                for (int c = 0; c < s.value; ++c)
                    out[size(c)] += weight * double(fromBf16(key[s.nope + c]));
            }
            for (int c = 0; c < s.value; ++c)
                expected[size(t * s.heads + h, s.value) + size(c)] = out[size(c)] / sum;
        }
    const DeviceBuffer q = onCard(queries);
    const DeviceBuffer kv = onCard(expanded);
    const DeviceBuffer k = onCard(rotated);
    const DeviceBuffer cosineData = onCard(cosines);
    const DeviceBuffer sineData = onCard(sines);
    const DeviceBuffer out = poisoned(expected.size() * 2);
    kernels->attention({.queries = q.as(),
                        .keys = kv.as(),
                        .values = kv.as<std::uint16_t>() + s.nope,
                        .rotated = k.as(),
                        .cosines = cosineData.as<float>(),
                        .sines = sineData.as<float>(),
                        .out = out.as(),
                        .queryStride = s.heads * (s.nope + s.rope),
                        .keyStride = s.heads / s.sharing * (s.nope + s.value),
                        .rotatedStride = s.rope,
                        .outStride = s.heads * s.value,
                        .headStride = s.nope + s.value,
                        .sharing = s.sharing,
                        .heads = s.heads,
                        .tokens = s.tokens,
                        .firstPosition = s.firstPosition,
                        .nope = s.nope,
                        .rope = s.rope,
                        .value = s.value,
                        .scale = scale,
                        .halves = halves});
    stream->synchronize();
    EXPECT_LT(relativeError(fromBf16(fromCard<std::uint16_t>(out, expected.size())), expected), 1e-2);
}

TEST_F(ChunkRows, AttentionSeesAllThatCameBefore)
{
    for (const int capability : {listDevices(nullptr)[0].major, 8}) { // 8: what all cards run
        SCOPED_TRACE(capability);
        DeviceInfo info = listDevices(nullptr)[0];
        info.major = capability;
        kernels = std::make_unique<PrefillKernels>(info, *stream);
        checkAttention({1, 0, 2, 32, 16, 32}, false);
        checkAttention({70, 0, 3, 32, 16, 32}, true);
        checkAttention({129, 37, 2, 128, 64, 128}, false);
        checkAttention({200, 321, 1, 48, 16, 64}, false);
        checkAttention({150, 70, 6, 48, 0, 48, 3}, true); // grouped: rotated before
    }
}

TEST_F(ChunkRows, NormsQuantisesAndKeepsTheFactor)
{
    const int rows = 5;
    const int n = 200;
    const auto x = randomFloats(random, std::size_t(rows) * n);
    const auto weight = randomFloats(random, n);
    std::vector<double> expected;
    std::vector<double> factors;
    for (std::size_t r = 0; r < rows; ++r) {
        double sum = 0;
        for (std::size_t c = 0; c < n; ++c)
            sum += double(x[r * n + c]) * double(x[r * n + c]);
        factors.push_back(1 / std::sqrt(sum / n + 1e-6));
        for (std::size_t c = 0; c < n; ++c)
            expected.push_back(double(x[r * n + c]) * factors.back() * double(weight[c]));
    }
    const DeviceBuffer in = onCard(x);
    const DeviceBuffer w = onCard(weight);
    const DeviceBuffer bf16 = poisoned(expected.size() * 2);
    const DeviceBuffer e4m3 = poisoned(expected.size());
    const DeviceBuffer scales = poisoned(rows * 2 * 4);
    const DeviceBuffer found = poisoned(rows * 4);
    kernels->normRows({.x = in.as<float>(),
                       .weight = w.as<float>(),
                       .bf16 = bf16.as(),
                       .e4m3 = e4m3.as<std::uint8_t>(),
                       .scales = scales.as<float>(),
                       .factors = found.as<float>(),
                       .n = n,
                       .scaleStride = rows,
                       .epsilon = 1e-6F},
                      rows);
    stream->synchronize();
    EXPECT_LT(relativeError(fromCard<float>(found, rows), factors), 1e-6);
    EXPECT_LT(relativeError(fromBf16(fromCard<std::uint16_t>(bf16, expected.size())), expected), 4e-3);
    const auto bytes = fromCard<std::uint8_t>(e4m3, expected.size());
    const auto units = fromCard<float>(scales, rows * 2);
    std::vector<double> quantised;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        quantised.push_back(e4m3Value(bytes[i]) * double(units[i % n / 128 * rows + i / n]));
    EXPECT_LT(relativeError(quantised, expected), 4e-2);
    for (std::size_t r = 0; r < rows; ++r) { // the largest of a block becomes 448
        double largest = 0;
        for (std::size_t c = 0; c < 128; ++c)
            largest = std::max(largest, std::abs(expected[r * n + c]));
        EXPECT_NEAR(double(units[r]), largest / 448, largest * 1e-8 + 1e-9);
    }
}

TEST_F(ChunkRows, AppendsLatentsAndRotatedKeysAtTheRightAngles)
{
    const int tokens = 3;
    const int latent = 72;
    const int rope = 16;
    RopeConfig config;
    const RopeTable table(config, rope);
    std::vector<float> frequencies;
    for (int i = 0; i < rope / 2; ++i)
        frequencies.push_back(static_cast<float>(std::pow(config.theta, -2.0 * i / rope)));
    const DeviceBuffer frequencyData = onCard(frequencies);
    const DeviceBuffer cosines = poisoned(tokens * rope * 2);
    const DeviceBuffer sines = poisoned(tokens * rope * 2);
    kernels->fillAngles({.inverseFrequencies = frequencyData.as<float>(),
                         .cosines = cosines.as<float>(),
                         .sines = sines.as<float>(),
                         .firstPosition = 40000,
                         .half = rope / 2},
                        tokens);
    const auto kv = randomFloats(random, tokens * (latent + rope));
    const auto weight = randomFloats(random, latent);
    const DeviceBuffer in = onCard(kv);
    const DeviceBuffer w = onCard(weight);
    for (const bool halves : {false, true}) {
        const DeviceBuffer cache = poisoned(kv.size() * 2);
        kernels->appendCache({.kv = in.as<float>(),
                              .weight = w.as<float>(),
                              .cosines = cosines.as<float>(),
                              .sines = sines.as<float>(),
                              .cache = cache.as(),
                              .latent = latent,
                              .rope = rope,
                              .epsilon = 1e-6F,
                              .halves = halves},
                             tokens);
        stream->synchronize();
        std::vector<double> expected;
        for (int t = 0; t < tokens; ++t) {
            std::vector<float> cosine(rope / 2);
            std::vector<float> sine(rope / 2);
            table.angles(40000 + t, cosine.data(), sine.data());
            std::vector<double> row(kv.begin() + t * (latent + rope), kv.begin() + (t + 1) * (latent + rope));
            double sum = 0;
            for (int c = 0; c < latent; ++c)
                sum += row[std::size_t(c)] * row[std::size_t(c)];
            for (int c = 0; c < latent; ++c)
                row[std::size_t(c)] *= double(weight[std::size_t(c)]) / std::sqrt(sum / latent + 1e-6);
            rotate(row.data() + latent, rope, halves, cosine.data(), sine.data());
            expected.insert(expected.end(), row.begin(), row.end());
        }
        const DeviceBuffer widened = poisoned(kv.size() * 2);
        kernels->widenCache(
            {.cache = cache.as(), .bf16 = widened.as(), .values = static_cast<std::int64_t>(kv.size())});
        stream->synchronize();
        EXPECT_LT(relativeError(fromBf16(fromCard<std::uint16_t>(widened, expected.size())), expected), 4e-3);
    }
}

TEST_F(ChunkRows, EmbeddingsAreWidenedFromEveryType)
{
    for (const DType dtype : {DType::F32, DType::F16, DType::BF16, DType::F8E4M3}) {
        const RandomMatrix table(random, dtype, 150, 136);
        const DeviceBuffer data = onCard(table.bytes);
        const DeviceBuffer scales = onCard(table.scales);
        const DeviceBuffer ids = onCard(std::vector<std::int32_t>{149, 0, 130});
        const DeviceBuffer x = poisoned(3 * 136 * 4);
        kernels->embed(dtype,
                       {.ids = ids.as<std::int32_t>(),
                        .x = x.as<float>(),
                        .embedding = {data.as(), scales.as<float>()},
                        .hidden = 136,
                        .scaleColumns = static_cast<std::int32_t>(table.view.scaleColumns)},
                       3);
        stream->synchronize();
        std::vector<double> expected;
        for (const std::size_t id : {149U, 0U, 130U})
            for (std::size_t c = 0; c < 136; ++c)
                expected.push_back(table.values[id * 136 + c]);
        EXPECT_LT(relativeError(fromCard<float>(x, expected.size()), expected), 1e-7) << int(dtype);
    }
}

void ChunkRows::checkRouter(const MoeConfig &config, bool bias)
{
    const std::int32_t tokens = 37;
    const std::int32_t hidden = 160;
    const auto experts = static_cast<std::size_t>(config.nRoutedExperts);
    const auto x = randomFloats(random, tokens * hidden);
    const auto norm = randomFloats(random, hidden);
    const auto factors = randomFloats(random, tokens);
    const RandomMatrix weights(random, DType::BF16, config.nRoutedExperts, hidden);
    const auto biases = bias ? randomFloats(random, experts) : std::vector<float>();
    const DeviceBuffer xData = onCard(x);
    const DeviceBuffer normData = onCard(norm);
    const DeviceBuffer factorData = onCard(factors);
    const DeviceBuffer weightData = onCard(weights.bytes);
    const DeviceBuffer biasData = onCard(biases);
    const DeviceBuffer logits = poisoned(tokens * experts * 4);
    const DeviceBuffer choices =
        poisoned(std::size_t(tokens * config.numExpertsPerTok) * sizeof(RoutedExpert));
    kernels->routerLogits(DType::BF16,
                          {.x = xData.as<float>(),
                           .factors = factorData.as<float>(),
                           .norm = normData.as<float>(),
                           .weights = weightData.as(),
                           .logits = logits.as<float>(),
                           .tokens = tokens,
                           .hidden = hidden,
                           .experts = config.nRoutedExperts});
    stream->synchronize();
    std::vector<double> expected;
    for (std::size_t t = 0; t < tokens; ++t)
        for (std::size_t e = 0; e < experts; ++e) {
            double sum = 0;
            for (std::size_t c = 0; c < hidden; ++c)
                sum += double(x[t * hidden + c]) * double(factors[t]) * double(norm[c])
                    * weights.values[e * hidden + c];
            expected.push_back(sum);
        }
    const auto found = fromCard<float>(logits, expected.size());
    EXPECT_LT(relativeError(found, expected), 2e-5);

    const bool normalises = config.normTopkProb && config.numExpertsPerTok > 1;
    const bool groups = config.topkMethod != TopkMethod::Greedy;
    kernels->chooseExperts({.logits = logits.as<float>(),
                            .bias = bias ? biasData.as<float>() : nullptr,
                            .choices = choices.as<RoutedExpert>(),
                            .tokens = tokens,
                            .experts = config.nRoutedExperts,
                            .chosen = config.numExpertsPerTok,
                            .groups = groups ? config.nGroup : 1,
                            .keptGroups = groups ? config.topkGroup : 1,
                            .sigmoid = config.scoring == ScoringFunction::Sigmoid,
                            .sumOfTwo = config.topkMethod == TopkMethod::NoauxTc,
                            .normalise = normalises,
                            .factor = static_cast<float>(config.routedScalingFactor)});
    stream->synchronize();
    const auto k = static_cast<std::size_t>(config.numExpertsPerTok);
    const auto chosen = fromCard<RoutedExpert>(choices, tokens * k);
    Router router(config);
    std::vector<ExpertChoice> twin(k);
    for (std::size_t t = 0; t < tokens; ++t) {
        router.choose(std::span(found).subspan(t * experts, experts), biases, twin);
        for (std::size_t i = 0; i < k; ++i) {
            EXPECT_EQ(chosen[t * k + i].expert, twin[i].expert) << "token " << t;
            EXPECT_NEAR(chosen[t * k + i].weight, twin[i].weight, 1e-5F * (1 + std::abs(twin[i].weight)));
        }
    }
}

TEST_F(ChunkRows, TheRouterChoosesAsTheCpuDoes)
{
    MoeConfig greedy;
    greedy.nRoutedExperts = 70;
    greedy.numExpertsPerTok = 6;
    checkRouter(greedy, false);
    MoeConfig grouped = greedy;
    grouped.nRoutedExperts = 96;
    grouped.nGroup = 8;
    grouped.topkGroup = 3;
    grouped.topkMethod = TopkMethod::GroupLimitedGreedy;
    grouped.routedScalingFactor = 16;
    checkRouter(grouped, false);
    MoeConfig noaux = grouped;
    noaux.nRoutedExperts = 256;
    noaux.topkMethod = TopkMethod::NoauxTc;
    noaux.scoring = ScoringFunction::Sigmoid;
    noaux.normTopkProb = true;
    noaux.routedScalingFactor = 2.5;
    checkRouter(noaux, true);
}

TEST_F(ChunkRows, SortingByExpertAndCombiningUndoEachOther)
{
    const std::size_t tokens = 700;
    const std::size_t k = 4;
    const std::size_t experts = 9;
    const std::size_t hidden = 24;
    std::vector<RoutedExpert> choices;
    std::vector<std::int32_t> counts(experts);
    for (std::size_t i = 0; i < tokens * k; ++i) {
        const auto expert = static_cast<std::uint16_t>(i % 3 == 0 ? 5 : random() % (experts - 1));
        choices.push_back({expert, 0, float(random() % 100) / 64});
        ++counts[expert];
    }
    const DeviceBuffer choiceData = onCard(choices);
    const DeviceBuffer groupRows = poisoned((experts + 1) * 4);
    const DeviceBuffer groupTiles = poisoned((experts + 1) * 4);
    const DeviceBuffer tokenOfRow = poisoned(choices.size() * 4);
    const DeviceBuffer rowOfChoice = poisoned(choices.size() * 4);
    kernels->sortByExpert({.choices = choiceData.as<RoutedExpert>(),
                           .groupRows = groupRows.as<std::int32_t>(),
                           .groupTiles = groupTiles.as<std::int32_t>(),
                           .tokenOfRow = tokenOfRow.as<std::int32_t>(),
                           .rowOfChoice = rowOfChoice.as<std::int32_t>(),
                           .count = static_cast<std::int32_t>(choices.size()),
                           .chosen = k,
                           .experts = experts});
    stream->synchronize();
    const auto rows = fromCard<std::int32_t>(groupRows, experts + 1);
    const auto tiles = fromCard<std::int32_t>(groupTiles, experts + 1);
    const auto tokenOf = fromCard<std::int32_t>(tokenOfRow, choices.size());
    const auto rowOf = fromCard<std::int32_t>(rowOfChoice, choices.size());
    EXPECT_EQ(rows[0], 0);
    EXPECT_EQ(tiles[0], 0);
    for (std::size_t e = 0; e < experts; ++e) {
        EXPECT_EQ(rows[e + 1] - rows[e], counts[e]);
        EXPECT_EQ(tiles[e + 1] - tiles[e], (counts[e] + gemmTile - 1) / gemmTile);
    }
    std::vector<bool> taken(choices.size());
    for (std::size_t i = 0; i < choices.size(); ++i) {
        const auto row = static_cast<std::size_t>(rowOf[i]);
        ASSERT_LT(row, choices.size());
        EXPECT_FALSE(taken[row]);
        taken[row] = true;
        EXPECT_EQ(tokenOf[row], static_cast<std::int32_t>(i / k));
        EXPECT_GE(rowOf[i], rows[choices[i].expert]);
        EXPECT_LT(rowOf[i], rows[choices[i].expert + 1U]);
    }

    const auto out = toBf16(randomFloats(random, choices.size() * hidden));
    const auto x = randomFloats(random, tokens * hidden);
    std::vector<double> expected(x.begin(), x.end());
    for (std::size_t i = 0; i < choices.size(); ++i)
        for (std::size_t c = 0; c < hidden; ++c)
            expected[i / k * hidden + c] += double(choices[i].weight)
                * double(fromBf16(out[static_cast<std::size_t>(rowOf[i]) * hidden + c]));
    const DeviceBuffer outData = onCard(out);
    const DeviceBuffer xData = onCard(x);
    kernels->combineExperts({.out = outData.as(),
                             .choices = choiceData.as<RoutedExpert>(),
                             .rowOfChoice = rowOfChoice.as<std::int32_t>(),
                             .x = xData.as<float>(),
                             .hidden = hidden,
                             .chosen = k},
                            tokens);
    stream->synchronize();
    EXPECT_LT(relativeError(fromCard<float>(xData, expected.size()), expected), 1e-6);
}

} // namespace
} // namespace bathyscope::kernels::cuda

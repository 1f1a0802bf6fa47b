// SPDX-License-Identifier: GPL-3.0-or-later
//
// The decode kernels on random inputs of odd sizes, one to eight tokens, every stored type: against double
// precision.
#include "kernels/cuda/decode_kernels.h"
#include "tests/kernels/cuda/card.h"
#include "tests/kernels/random_matrix.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace bathyscope::kernels::cuda {
namespace {

using Doubles = std::vector<double>;
constexpr DType dtypes[] = {DType::F32, DType::F16, DType::BF16, DType::F8E4M3};
constexpr float epsilon = 1e-6F;

/// y = W[firstRow, firstRow + rows) x.
Doubles multiply(const RandomMatrix &w, const Doubles &x, std::int64_t firstRow, std::int64_t rows)
{
    Doubles y(static_cast<std::size_t>(rows));
    for (std::int64_t r = 0; r < rows; ++r)
        y[static_cast<std::size_t>(r)] =
            std::inner_product(x.begin(), x.end(), w.values.begin() + (firstRow + r) * w.view.columns, 0.0);
    return y;
}

Doubles multiply(const RandomMatrix &w, const Doubles &x)
{
    return multiply(w, x, 0, w.view.rows);
}

Doubles normalised(const float *x, const std::vector<float> &weight)
{
    double squares = 0;
    for (std::size_t i = 0; i < weight.size(); ++i)
        squares += double(x[i]) * double(x[i]);
    const double factor = 1 / std::sqrt(squares / double(weight.size()) + double(epsilon));
    Doubles y(weight.size());
    for (std::size_t i = 0; i < weight.size(); ++i)
        y[i] = double(x[i]) * factor * double(weight[i]);
    return y;
}

/// Differences within `share` of the largest value expected.
void expectNear(const Doubles &expected, const float *actual, double share, const std::string &what)
{
    double largest = 0;
    for (const double e : expected)
        largest = std::max(largest, std::abs(e));
    for (std::size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(double(actual[i]), expected[i], share * largest) << what << ", element " << i;
}

class DecodeKernelsOnCard : public Card {
protected:
    void SetUp() override
    {
        Card::SetUp();
        if (IsSkipped())
            return;
        std::string why;
        stream.emplace();
        kernels.emplace(listDevices(&why).front(), *stream);
    }

    /// A matrix on the card.
    DeviceMatrix onCard(const RandomMatrix &m)
    {
        DeviceMatrix result;
        result.data = upload(m.bytes);
        result.scales = m.scales.empty() ? nullptr : upload(m.scales);
        result.rows = static_cast<std::int32_t>(m.view.rows);
        result.columns = static_cast<std::int32_t>(m.view.columns);
        result.scaleColumns = static_cast<std::int32_t>(m.view.scaleColumns);
        result.dtype = m.view.dtype;
        return result;
    }

    template <typename T>
    T *upload(const std::vector<T> &values)
    {
        memory.push_back(std::make_unique<DeviceBuffer>(values.size() * sizeof(T)));
        memory.back()->upload(values.data(), values.size() * sizeof(T));
        return memory.back()->as<T>();
    }

    template <typename T>
    std::vector<T> download(const T *from, std::size_t count)
    {
        std::vector<T> values(count);
        stream->synchronize();
        BATHYSCOPE_CUDA_CALL(
            cuMemcpyDtoH(values.data(), reinterpret_cast<CUdeviceptr>(from), count * sizeof(T)));
        return values;
    }

    /// The same matrix of several experts, at equal distances.
    DeviceExperts onCard(const std::vector<RandomMatrix> &experts)
    {
        std::vector<std::uint8_t> bytes;
        std::vector<float> scales;
        for (const RandomMatrix &m : experts) {
            bytes.insert(bytes.end(), m.bytes.begin(), m.bytes.end());
            scales.insert(scales.end(), m.scales.begin(), m.scales.end());
        }
        DeviceExperts result;
        result.first = onCard(experts.front());
        result.first.data = upload(bytes);
        result.first.scales = scales.empty() ? nullptr : upload(scales);
        result.dataStride = static_cast<std::int64_t>(experts.front().bytes.size());
        result.scaleStride = static_cast<std::int64_t>(experts.front().scales.size());
        return result;
    }

    std::mt19937 random{1};
    std::optional<Stream> stream;
    std::optional<DecodeKernels> kernels;
    std::vector<std::unique_ptr<DeviceBuffer>> memory;
};

TEST_F(DecodeKernelsOnCard, ProjectsNormalisedTokens)
{
    for (const DType dtype : dtypes)
        for (const std::int64_t columns : {48, 208, 1408, 5120})
            for (const std::int32_t tokens : {1, 2, 3, 5, 8}) {
                const RandomMatrix first(random, dtype, 77, columns);
                const RandomMatrix second(random, dtype, 200, columns);
                const auto n = static_cast<std::size_t>(columns);
                const auto x = randomFloats(random, n * static_cast<std::size_t>(tokens));
                const auto norm = randomFloats(random, n);
                ProjectParams p{.first = onCard(first), .second = onCard(second)};
                p.firstOut = upload(std::vector<float>(77U * static_cast<std::size_t>(tokens)));
                p.secondOut = upload(std::vector<float>(200U * static_cast<std::size_t>(tokens)));
                p.x = upload(x);
                p.norm = upload(norm);
                p.epsilon = epsilon;
                p.tokens = tokens;
                kernels->project(p);
                const auto a = download(p.firstOut, 77U * static_cast<std::size_t>(tokens));
                const auto b = download(p.secondOut, 200U * static_cast<std::size_t>(tokens));
                for (std::size_t t = 0; t < static_cast<std::size_t>(tokens); ++t) {
                    const Doubles y = normalised(x.data() + t * n, norm);
                    const std::string what = std::string(blockOf(dtype).name) + ", " + std::to_string(columns)
                        + " columns, token " + std::to_string(t) + " of " + std::to_string(tokens);
                    ASSERT_NO_FATAL_FAILURE(expectNear(multiply(first, y), a.data() + t * 77, 1e-4, what));
                    ASSERT_NO_FATAL_FAILURE(expectNear(multiply(second, y), b.data() + t * 200, 1e-4, what));
                }
                memory.clear();
            }
}

TEST_F(DecodeKernelsOnCard, AddsProducts)
{
    const RandomMatrix w(random, DType::F8E4M3, 64, 16384);
    const auto x = randomFloats(random, 3 * 16384);
    const auto y = randomFloats(random, 3 * 64);
    ProjectParams p{.first = onCard(w), .second = {}};
    p.firstOut = upload(y);
    p.x = upload(x);
    p.tokens = 3;
    p.add = true;
    kernels->project(p);
    const auto result = download(p.firstOut, 3 * 64);
    for (std::size_t t = 0; t < 3; ++t) {
        Doubles expected = multiply(w,
                                    Doubles(x.begin() + static_cast<std::ptrdiff_t>(t * 16384),
                                            x.begin() + static_cast<std::ptrdiff_t>((t + 1) * 16384)));
        for (std::size_t i = 0; i < 64; ++i)
            expected[i] += double(y[t * 64 + i]);
        ASSERT_NO_FATAL_FAILURE(expectNear(expected, result.data() + t * 64, 1e-4, std::to_string(t)));
    }
}

struct Experts {
    std::vector<RandomMatrix> gate;
    std::vector<RandomMatrix> up;
    std::vector<RandomMatrix> down;
};

/// x += down(silu(gate y) * up y) * weight.
void addBlock(Doubles &x, const Doubles &y, const RandomMatrix &gate, const RandomMatrix &up,
              const RandomMatrix &down, double weight)
{
    Doubles a = multiply(gate, y);
    const Doubles b = multiply(up, y);
    for (std::size_t i = 0; i < a.size(); ++i)
        a[i] = a[i] / (1 + std::exp(-a[i])) * b[i] * weight;
    const Doubles out = multiply(down, a);
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] += out[i];
}

TEST_F(DecodeKernelsOnCard, RunsExperts)
{
    constexpr std::int64_t hidden = 272;
    constexpr std::int64_t rows = 144;
    constexpr std::size_t count = 11;
    constexpr std::int32_t chosen = 3;
    for (const DType dtype : dtypes) {
        const RandomMatrix router(random, DType::BF16, count, hidden);
        Experts e;
        for (std::size_t i = 0; i <= count; ++i) { // the last is shared
            e.gate.emplace_back(random, dtype, rows, hidden);
            e.up.emplace_back(random, dtype, rows, hidden);
            e.down.emplace_back(random, dtype, hidden, rows);
        }
        for (const std::int32_t tokens : {1, 2, 4, 5, 8}) {
            const auto t = static_cast<std::size_t>(tokens);
            const auto x = randomFloats(random, t * hidden);
            const auto norm = randomFloats(random, hidden);
            RouteParams r;
            r.logits.first = onCard(router);
            r.logits.firstOut = upload(std::vector<float>(t * count));
            r.logits.x = upload(x);
            r.logits.norm = upload(norm);
            r.logits.epsilon = epsilon;
            r.logits.tokens = tokens;
            r.shape = {.experts = count, .chosen = chosen, .normalise = true};
            r.arrivals = upload(std::vector<std::uint32_t>(1));
            r.table = upload(std::vector<RoutingTable>(1));
            r.choices = upload(std::vector<DecodeChoice>(t * chosen));
            FeedForwardParams p;
            p.routing = r.table;
            p.chosen = chosen;
            p.expertGate = onCard(e.gate);
            p.expertUp = onCard(e.up);
            p.expertDown = onCard(e.down);
            p.gate = onCard(e.gate.back());
            p.up = onCard(e.up.back());
            p.down = onCard(e.down.back());
            p.norm = r.logits.norm;
            p.epsilon = epsilon;
            p.x = upload(x);
            p.activationStride = (chosen + 1) * rows;
            p.activations = upload(std::vector<float>(t * static_cast<std::size_t>(p.activationStride), NAN));
            p.hidden = hidden;
            p.tokens = tokens;
            kernels->route(r);
            kernels->activate(p);
            kernels->join(p);
            const auto result = download(p.x, t * hidden);
            const auto choices = download(r.choices, t * chosen);
            for (std::size_t i = 0; i < t; ++i) {
                std::vector<std::size_t> order(count);
                std::iota(order.begin(), order.end(), 0U);
                const Doubles y = normalised(x.data() + i * hidden, norm);
                const Doubles l = multiply(router, y);
                std::sort(order.begin(), order.end(),
                          [&](std::size_t a, std::size_t b) { return l[a] > l[b]; });
                std::sort(order.begin(), order.begin() + chosen);
                const double largest = *std::max_element(l.begin(), l.end());
                double sum = 0;
                for (std::size_t k = 0; k < chosen; ++k)
                    sum += std::exp(l[order[k]] - largest);
                Doubles expected(x.begin() + static_cast<std::ptrdiff_t>(i * hidden),
                                 x.begin() + static_cast<std::ptrdiff_t>((i + 1) * hidden));
                for (std::size_t k = 0; k < chosen; ++k) {
                    const double weight = std::exp(l[order[k]] - largest) / sum;
                    const DecodeChoice &choice = choices[i * chosen + k];
                    ASSERT_EQ(choice.expert, order[k]) << "token " << i << " of " << tokens;
                    ASSERT_NEAR(double(choice.weight), weight, 1e-3);
                    addBlock(expected, y, e.gate[order[k]], e.up[order[k]], e.down[order[k]], weight);
                }
                addBlock(expected, y, e.gate.back(), e.up.back(), e.down.back(), 1);
                ASSERT_NO_FATAL_FAILURE(expectNear(expected, result.data() + i * hidden, 1e-4,
                                                   std::string(blockOf(dtype).name) + ", token "
                                                       + std::to_string(i) + " of "
                                                       + std::to_string(tokens)));
            }
            memory.clear();
        }
    }
}

/// Latent attention of consecutive tokens behind `past` cached positions.
struct AttentionCase {
    std::int32_t heads, nope, rope, value, latent, past;
};

class DecodeAttention : public DecodeKernelsOnCard {
protected:
    void run(const AttentionCase &c, DType dtype, std::int32_t tokens)
    {
        const std::int32_t width = c.latent + c.rope;
        const auto t = static_cast<std::size_t>(tokens);
        const RandomMatrix kvB(random, dtype, c.heads * (c.nope + c.value), c.latent);
        const auto query = randomFloats(random, t * static_cast<std::size_t>(c.heads * (c.nope + c.rope)));
        const auto kv = randomFloats(random, t * static_cast<std::size_t>(width));
        const auto norm = randomFloats(random, static_cast<std::size_t>(c.latent));
        std::vector<std::uint16_t> cache(static_cast<std::size_t>((c.past + tokens) * width));
        for (std::uint16_t &bits : cache) // halves of size 0.5 to 1
            bits = static_cast<std::uint16_t>(0x3800U | (random() & 0x83FFU));
        DecodeStep step;
        step.tokens = tokens;
        step.firstPosition = c.past;
        step.cache = upload(cache);
        for (std::int32_t i = 0; i < tokens * c.rope / 2; ++i) {
            step.cosines[i] = static_cast<float>(std::cos(i * 0.7));
            step.sines[i] = static_cast<float>(std::sin(i * 0.7));
        }
        AttentionParams p;
        p.step = upload(std::vector<DecodeStep>{step});
        p.kvB = onCard(kvB);
        p.kvNorm = upload(norm);
        p.query = upload(query);
        p.kv = upload(kv);
        p.heads = c.heads;
        p.nope = c.nope;
        p.rope = c.rope;
        p.value = c.value;
        p.latent = c.latent;
        p.tokens = tokens;
        p.splits = kernels->splits(tokens, c.heads);
        p.epsilon = epsilon;
        // The products of e4m3 are large: a scale that leaves a softmax to speak of.
        p.softmaxScale =
            (dtype == DType::F8E4M3 ? 0.02F : 0.2F) / std::sqrt(static_cast<float>(c.nope + c.rope));
        const std::size_t groups = static_cast<std::size_t>((c.heads + 15) / 16);
        const std::size_t parts = t * groups * static_cast<std::size_t>(p.splits) * 16;
        p.absorbed = upload(std::vector<float>(t * static_cast<std::size_t>(c.heads * width), NAN));
        p.partial = upload(std::vector<float>(parts * static_cast<std::size_t>(c.latent), NAN));
        p.partialSums = upload(std::vector<float>(parts * 2, NAN));
        p.attended = upload(std::vector<float>(t * static_cast<std::size_t>(c.heads * c.value), NAN));
        kernels->absorb(p);
        kernels->attend(p);
        kernels->expand(p);
        const auto result = download(p.attended, t * static_cast<std::size_t>(c.heads * c.value));
        const auto rows = download(static_cast<const std::uint16_t *>(step.cache), cache.size());
        check(c, tokens, p.softmaxScale, kvB, query, rows, step, result);
        memory.clear();
    }

private:
    /// Against attention over the cache as the kernel left it.
    static void check(const AttentionCase &c, std::int32_t tokens, float scale, const RandomMatrix &kvB,
                      const std::vector<float> &query, const std::vector<std::uint16_t> &cache,
                      const DecodeStep &step, const std::vector<float> &result)
    {
        const std::int32_t width = c.latent + c.rope;
        for (std::int32_t t = 0; t < tokens; ++t)
            for (std::int32_t head = 0; head < c.heads; ++head) {
                const float *q = query.data() + (t * c.heads + head) * (c.nope + c.rope);
                Doubles absorbed(static_cast<std::size_t>(width));
                for (std::int32_t r = 0; r < c.nope; ++r)
                    for (std::int32_t i = 0; i < c.latent; ++i)
                        absorbed[static_cast<std::size_t>(i)] += double(q[r])
                            * kvB.values[static_cast<std::size_t>((head * (c.nope + c.value) + r) * c.latent
                                                                  + i)];
                for (std::int32_t i = 0; i < c.rope / 2; ++i) {
                    const auto cosine = double(step.cosines[t * c.rope / 2 + i]);
                    const auto sine = double(step.sines[t * c.rope / 2 + i]);
                    const auto a = double(q[c.nope + 2 * i]);
                    const auto b = double(q[c.nope + 2 * i + 1]);
                    absorbed[static_cast<std::size_t>(c.latent + 2 * i)] = a * cosine - b * sine;
                    absorbed[static_cast<std::size_t>(c.latent + 2 * i + 1)] = b * cosine + a * sine;
                }
                const std::int32_t positions = c.past + t + 1;
                Doubles scores;
                for (std::int32_t i = 0; i < positions; ++i) {
                    double score = 0;
                    for (std::int32_t j = 0; j < width; ++j)
                        score += absorbed[static_cast<std::size_t>(j)]
                            * halfValue(cache[static_cast<std::size_t>(i * width + j)]);
                    scores.push_back(score * double(scale));
                }
                const double largest = *std::max_element(scores.begin(), scores.end());
                double sum = 0;
                for (double &score : scores)
                    sum += score = std::exp(score - largest);
                Doubles joined(static_cast<std::size_t>(c.latent));
                for (std::int32_t i = 0; i < positions; ++i)
                    for (std::int32_t j = 0; j < c.latent; ++j)
                        joined[static_cast<std::size_t>(j)] += scores[static_cast<std::size_t>(i)] / sum
                            * halfValue(cache[static_cast<std::size_t>(i * width + j)]);
                expectNear(multiply(kvB, joined, head * (c.nope + c.value) + c.nope, c.value),
                           result.data() + (t * c.heads + head) * c.value, 3e-3,
                           "token " + std::to_string(t) + " of " + std::to_string(tokens) + ", head "
                               + std::to_string(head) + ", " + blockOf(kvB.view.dtype).name);
                if (HasFatalFailure())
                    return;
            }
    }
};

TEST_F(DecodeAttention, MatchesDoublePrecision)
{
    for (const DType dtype : dtypes)
        for (const std::int32_t tokens : {1, 3, 8}) {
            ASSERT_NO_FATAL_FAILURE(run({4, 64, 32, 64, 128, 5}, dtype, tokens));
            ASSERT_NO_FATAL_FAILURE(run({18, 48, 16, 40, 96, 333}, dtype, tokens));
            ASSERT_NO_FATAL_FAILURE(run({2, 128, 64, 128, 512, 1000}, dtype, tokens));
        }
}

} // namespace
} // namespace bathyscope::kernels::cuda

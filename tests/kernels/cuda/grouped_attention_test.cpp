// SPDX-License-Identifier: GPL-3.0-or-later
//
// Grouped-query attention of a few new tokens, and the heads of a chunk, on random inputs of odd sizes:
// against double precision.
#include "kernels/cuda/decode_kernels.h"
#include "kernels/cuda/prefill_kernels.h"
#include "tests/kernels/cuda/card.h"
#include "tests/kernels/cuda/device_arrays.h"
#include "tests/kernels/random_matrix.h"

#include <algorithm>

namespace bathyscope::kernels::cuda {
namespace {

using Doubles = std::vector<double>;

struct Case {
    std::int32_t heads, keyHeads, headDim, past;
    bool bias, norm, halves;
};

std::size_t size(std::int64_t n)
{
    return static_cast<std::size_t>(n);
}

class GroupedAttention : public Card {
protected:
    void SetUp() override
    {
        Card::SetUp();
        if (!IsSkipped())
            stream = std::make_unique<Stream>();
    }

    /// One case's inputs, on the host and on the card.
    struct Inputs {
        Inputs(std::mt19937 &random, const Case &c, std::int32_t tokens)
            : query(randomFloats(random, size(std::int64_t(tokens) * c.heads * c.headDim)))
            , key(randomFloats(random, size(std::int64_t(tokens) * c.keyHeads * c.headDim)))
            , value(randomFloats(random, key.size()))
            , qBias(randomFloats(random, size(c.bias ? c.heads * c.headDim : 0)))
            , kBias(randomFloats(random, size(c.bias ? c.keyHeads * c.headDim : 0)))
            , vBias(randomFloats(random, kBias.size()))
            , qNorm(randomFloats(random, size(c.norm ? c.headDim : 0)))
            , kNorm(randomFloats(random, qNorm.size()))
        {
            for (std::int32_t i = 0; i < tokens * c.headDim / 2; ++i) {
                cosines.push_back(static_cast<float>(std::cos(i * 0.7)));
                sines.push_back(static_cast<float>(std::sin(i * 0.7)));
            }
            for (const std::vector<float> *values :
                 {&qBias, &kBias, &vBias, &qNorm, &kNorm, &query, &key, &value, &cosines, &sines})
                device.push_back(onCard(*values));
        }

        [[nodiscard]] const float *at(std::size_t i, bool there = true) const
        {
            return there ? device[i].as<float>() : nullptr;
        }

        [[nodiscard]] HeadsParams heads(const Case &c) const
        {
            return {at(0, c.bias), at(1, c.bias), at(2, c.bias), at(3, c.norm), at(4, c.norm),
                    c.heads,       c.keyHeads,    c.headDim,     1e-6F,         c.halves};
        }

        std::vector<float> query, key, value, qBias, kBias, vBias, qNorm, kNorm, cosines, sines;
        std::vector<DeviceBuffer> device;
    };

    /// Head `head` of token `t` with bias, norm and rotation.
    static Doubles finished(const Case &c, const Inputs &in, bool isQuery, std::int32_t t, std::int32_t head)
    {
        const std::int64_t n = c.headDim;
        const auto &x = isQuery ? in.query : in.key;
        const auto &bias = isQuery ? in.qBias : in.kBias;
        const auto &norm = isQuery ? in.qNorm : in.kNorm;
        const std::int64_t heads = isQuery ? c.heads : c.keyHeads;
        Doubles v;
        double squares = 0;
        for (std::int64_t i = 0; i < n; ++i) {
            v.push_back(double(x[size((t * heads + head) * n + i)])
                        + (c.bias ? double(bias[size(head * n + i)]) : 0.0));
            squares += v.back() * v.back();
        }
        const double factor = 1 / std::sqrt(squares / double(n) + 1e-6);
        for (std::int64_t i = 0; i < n && c.norm; ++i)
            v[size(i)] *= factor * double(norm[size(i)]);
        for (std::int64_t i = 0; i < n / 2; ++i) {
            double &a = v[size(c.halves ? i : 2 * i)];
            double &b = v[size(c.halves ? i + n / 2 : 2 * i + 1)];
            const auto cosine = double(in.cosines[size(t * n / 2 + i)]);
            const auto sine = double(in.sines[size(t * n / 2 + i)]);
            const double turned = a * cosine - b * sine;
            b = b * cosine + a * sine;
            a = turned;
        }
        return v;
    }

    /// The new rows of a cache as they should be: keys of all heads, then values.
    static Doubles rowsOf(const Case &c, const Inputs &in, std::int32_t tokens)
    {
        const std::int64_t width = c.keyHeads * c.headDim;
        Doubles rows;
        for (std::int32_t t = 0; t < tokens; ++t) {
            for (std::int32_t head = 0; head < c.keyHeads; ++head)
                for (const double k : finished(c, in, false, t, head))
                    rows.push_back(k);
            for (std::int64_t i = 0; i < width; ++i)
                rows.push_back(double(in.value[size(t * width + i)])
                               + (c.bias ? double(in.vBias[size(i)]) : 0.0));
        }
        return rows;
    }

    void checkDecode(const Case &c, std::int32_t tokens);
    void checkChunk(const Case &c, std::int32_t tokens, std::int32_t firstQuery);

    std::mt19937 random{5};
    std::unique_ptr<Stream> stream;
};

/// Attention over the cache as the kernel left it.
Doubles attended(const Case &c, const std::vector<Doubles> &queries, const std::vector<std::uint16_t> &cache,
                 float scale)
{
    const std::int64_t n = c.headDim;
    const std::int64_t width = 2 * c.keyHeads * n;
    Doubles all;
    for (std::size_t i = 0; i < queries.size(); ++i) {
        const auto head = static_cast<std::int64_t>(i) % c.heads;
        const std::int64_t at = head * c.keyHeads / c.heads * n;
        const std::int64_t positions = c.past + static_cast<std::int64_t>(i) / c.heads + 1;
        Doubles out(size(n));
        Doubles scores;
        for (std::int64_t p = 0; p < positions; ++p) {
            double score = 0;
            for (std::int64_t j = 0; j < n; ++j)
                score += queries[i][size(j)] * halfValue(cache[size(p * width + at + j)]);
            scores.push_back(score * double(scale));
        }
        const double largest = *std::max_element(scores.begin(), scores.end());
        double sum = 0;
        for (double &score : scores)
            sum += score = std::exp(score - largest);
        for (std::int64_t p = 0; p < positions; ++p)
            for (std::int64_t j = 0; j < n; ++j)
                out[size(j)] +=
                    scores[size(p)] / sum * halfValue(cache[size(p * width + width / 2 + at + j)]);
        all.insert(all.end(), out.begin(), out.end());
    }
    return all;
}

Doubles halves(const std::vector<std::uint16_t> &bits, std::size_t begin)
{
    Doubles values;
    for (std::size_t i = begin; i < bits.size(); ++i)
        values.push_back(halfValue(bits[i]));
    return values;
}

void GroupedAttention::checkDecode(const Case &c, std::int32_t tokens)
{
    const DecodeKernels kernels(listDevices(nullptr).front(), *stream);
    const Inputs in(random, c, tokens);
    const std::int64_t width = 2 * c.keyHeads * c.headDim;
    std::vector<std::uint16_t> cache(size((c.past + tokens) * width), 0x7E00U); // not a number
    for (std::int64_t i = 0; i < c.past * width; ++i) // halves of size 0.5 to 1
        cache[size(i)] = static_cast<std::uint16_t>(0x3800U | (random() & 0x83FFU));
    const DeviceBuffer cacheData = onCard(cache);
    DecodeStep step;
    step.tokens = tokens;
    step.firstPosition = c.past;
    step.cache = cacheData.as();
    std::copy(in.cosines.begin(), in.cosines.end(), step.cosines);
    std::copy(in.sines.begin(), in.sines.end(), step.sines);
    const DeviceBuffer stepData = onCard(std::vector<DecodeStep>{step});
    const std::int32_t groups = headGroups(c.heads, c.keyHeads);
    const std::int32_t splits = kernels.groupedSplits(tokens, groups);
    const std::size_t parts = size(std::int64_t(tokens) * groups * splits * groupedHeads);
    const DeviceBuffer partial = poisoned(parts * size(c.headDim) * sizeof(float));
    const DeviceBuffer sums = poisoned(parts * 2 * sizeof(float));
    const DeviceBuffer arrivals = onCard(std::vector<std::uint32_t>(size(tokens * groups)));
    const DeviceBuffer out = poisoned(in.query.size() * sizeof(float));
    const float scale = 0.5F / std::sqrt(static_cast<float>(c.headDim));
    for (int run = 0; run < 2; ++run) // the second finds what the first left behind
        kernels.attendGrouped({.step = stepData.as<DecodeStep>(),
                               .heads = in.heads(c),
                               .query = in.at(5),
                               .key = in.at(6),
                               .value = in.at(7),
                               .partial = partial.as<float>(),
                               .partialSums = sums.as<float>(),
                               .arrivals = arrivals.as<std::uint32_t>(),
                               .attended = out.as<float>(),
                               .tokens = tokens,
                               .splits = splits,
                               .softmaxScale = scale,
                               .next = {}});
    stream->synchronize();
    const auto left = fromCard<std::uint16_t>(cacheData, cache.size());
    EXPECT_LT(relativeError(halves(left, size(c.past * width)), rowsOf(c, in, tokens)), 5e-4);
    std::vector<Doubles> queries;
    for (std::int32_t t = 0; t < tokens; ++t)
        for (std::int32_t head = 0; head < c.heads; ++head)
            queries.push_back(finished(c, in, true, t, head));
    EXPECT_LT(relativeError(fromCard<float>(out, in.query.size()), attended(c, queries, left, scale)), 1e-5);
}

TEST_F(GroupedAttention, OfNewTokensMatchesDoublePrecision)
{
    for (const std::int32_t tokens : {1, 3, 8})
        for (const Case &c :
             {Case{4, 2, 32, 0, true, false, true}, Case{6, 2, 48, 130, false, true, true},
              Case{7, 1, 64, 77, true, true, false}, Case{20, 2, 40, 300, false, false, false},
              Case{28, 4, 128, 2100, true, false, true}}) {
            SCOPED_TRACE(testing::Message() << c.heads << " heads, " << c.past << " positions, " << tokens);
            checkDecode(c, tokens);
        }
}

void GroupedAttention::checkChunk(const Case &c, std::int32_t tokens, std::int32_t firstQuery)
{
    const PrefillKernels kernels(listDevices(nullptr).front(), *stream);
    const Inputs in(random, c, tokens);
    const std::int64_t width = c.keyHeads * c.headDim;
    std::vector<float> kv;
    for (std::int64_t t = 0; t < tokens; ++t)
        for (const auto *part : {&in.key, &in.value})
            kv.insert(kv.end(), part->begin() + t * width, part->begin() + (t + 1) * width);
    const DeviceBuffer kvData = onCard(kv);
    const DeviceBuffer cache = poisoned(kv.size() * 2);
    const std::size_t queries = size(std::int64_t(tokens - firstQuery) * c.heads * c.headDim);
    const DeviceBuffer rotated = poisoned(queries * 2);
    kernels.heads({.heads = in.heads(c),
                   .query = in.at(5) + std::int64_t(firstQuery) * c.heads * c.headDim,
                   .kv = kvData.as<float>(),
                   .cosines = in.at(8),
                   .sines = in.at(9),
                   .rotated = rotated.as(),
                   .cache = cache.as(),
                   .firstQuery = firstQuery},
                  tokens);
    stream->synchronize();
    EXPECT_LT(relativeError(halves(fromCard<std::uint16_t>(cache, kv.size()), 0), rowsOf(c, in, tokens)),
              5e-4);
    Doubles expected;
    for (std::int32_t t = firstQuery; t < tokens; ++t)
        for (std::int32_t head = 0; head < c.heads; ++head)
            for (const double q : finished(c, in, true, t, head))
                expected.push_back(q);
    EXPECT_LT(relativeError(fromBf16(fromCard<std::uint16_t>(rotated, queries)), expected), 5e-3);
}

TEST_F(GroupedAttention, HeadsOfAChunkAreFinished)
{
    checkChunk({6, 2, 48, 0, true, true, true}, 37, 0);
    checkChunk({28, 4, 128, 0, true, false, true}, 5, 4);
    checkChunk({9, 3, 40, 0, false, true, false}, 12, 3);
}

} // namespace
} // namespace bathyscope::kernels::cuda

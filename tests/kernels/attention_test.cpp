// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/operations.h"
#include "tests/kernels/random_matrix.h"

#include <gtest/gtest.h>

namespace bathyscope::kernels {
namespace {

struct Shape {
    std::int64_t latent, nope, rope, value, positions;
};

class LatentAttention : public testing::TestWithParam<Shape> {
protected:
    std::mt19937 random{7};
    Shape s = GetParam();
    std::int64_t width = s.latent + s.rope;
    std::vector<float> cache = randomFloats(random, static_cast<std::size_t>(s.positions *width));
    RandomMatrix keys{random, DType::BF16, s.nope, s.latent};
    RandomMatrix values{random, DType::BF16, s.value, s.latent};
    float scale = 0.1F;

    double at(std::int64_t position, std::int64_t column) const
    {
        return double(cache[static_cast<std::size_t>(position * width + column)]);
    }

    /// Attention of one query [nope + rope] over positions 0 … last, in double precision.
    std::vector<double> exact(const float *query, std::int64_t last) const
    {
        std::vector<double> weights;
        for (std::int64_t p = 0; p <= last; ++p) {
            double score = 0;
            for (std::int64_t d = 0; d < s.nope; ++d)
                for (std::int64_t c = 0; c < s.latent; ++c)
                    score +=
                        double(query[d]) * keys.values[static_cast<std::size_t>(d * s.latent + c)] * at(p, c);
            for (std::int64_t r = 0; r < s.rope; ++r)
                score += double(query[s.nope + r]) * at(p, s.latent + r);
            weights.push_back(score * double(scale));
        }
        const double maximum = *std::max_element(weights.begin(), weights.end());
        double sum = 0;
        for (double &weight : weights)
            sum += weight = std::exp(weight - maximum);
        std::vector<double> out(static_cast<std::size_t>(s.value));
        for (std::int64_t v = 0; v < s.value; ++v)
            for (std::int64_t c = 0; c < s.latent; ++c)
                for (std::size_t p = 0; p < weights.size(); ++p)
                    out[static_cast<std::size_t>(v)] += weights[p] / sum * at(static_cast<std::int64_t>(p), c)
                        * values.values[static_cast<std::size_t>(v * s.latent + c)];
        return out;
    }
};

TEST_P(LatentAttention, AbsorbedAndExpandedFormsEqualTheDefinition)
{
    const std::int64_t m = std::min<std::int64_t>(s.positions, 5);
    const std::int64_t keyWidth = s.nope + s.rope;
    const auto queries = randomFloats(random, static_cast<std::size_t>(m * keyWidth));
    std::vector<float> expanded(static_cast<std::size_t>(m * s.value), NAN);
    std::vector<float> scratch(static_cast<std::size_t>(expandedAttentionScratch(s.nope, s.rope, s.value)));
    expandedAttention({.queries = queries.data(),
                       .queryStride = keyWidth,
                       .cache = cache.data(),
                       .keyWeights = keys.view,
                       .valueWeights = values.view,
                       .out = expanded.data(),
                       .outStride = s.value,
                       .m = m,
                       .firstPosition = s.positions - m,
                       .latent = s.latent,
                       .nope = s.nope,
                       .rope = s.rope,
                       .value = s.value,
                       .scale = scale,
                       .scratch = scratch.data()});
    for (std::int64_t i = 0; i < m; ++i) {
        const float *query = queries.data() + i * keyWidth;
        const std::int64_t last = s.positions - m + i;
        const auto expected = exact(query, last);

        std::vector<float> absorbed(static_cast<std::size_t>(width));
        gemvTransposed({.weights = keys.view, .x = query, .y = absorbed.data()});
        std::copy_n(query + s.nope, s.rope, absorbed.data() + s.latent);
        std::vector<float> latent(static_cast<std::size_t>(s.latent), NAN);
        latentAttention({absorbed.data(), cache.data(), latent.data(), 1, last + 1, s.latent, s.rope, scale});
        std::vector<float> value(static_cast<std::size_t>(s.value));
        gemv({.weights = values.view,
              .rowBegin = 0,
              .rowEnd = s.value,
              .x = latent.data(),
              .y = value.data()});
        for (std::size_t v = 0; v < value.size(); ++v) {
            EXPECT_NEAR(value[v], expected[v], 2e-4) << "absorbed, query " << i;
            EXPECT_NEAR(expanded[static_cast<std::size_t>(i * s.value) + v], expected[v], 2e-4)
                << "expanded, query " << i;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LatentAttention,
                         testing::Values(Shape{8, 4, 2, 4, 1}, Shape{64, 32, 16, 32, 5},
                                         Shape{40, 12, 6, 20, 64}, Shape{96, 48, 16, 64, 131},
                                         Shape{33, 7, 10, 65, 300}));

struct GroupedShape {
    std::int64_t heads, keyHeads, headDim, positions;
};

class GroupedAttention : public testing::TestWithParam<GroupedShape> {
protected:
    std::mt19937 random{11};
    GroupedShape s = GetParam();
    std::int64_t stride = 2 * s.keyHeads * s.headDim + 3; // rows need not follow each other
    std::vector<float> cache = randomFloats(random, static_cast<std::size_t>(s.positions *stride));
    float scale = 0.2F;

    const float *keys(std::int64_t head) const { return cache.data() + head * s.headDim; }
    const float *values(std::int64_t head) const { return keys(s.keyHeads + head); }

    /// One query over positions 0 … last, in double precision.
    std::vector<double> exact(const float *query, std::int64_t keyHead, std::int64_t last) const
    {
        std::vector<double> out(static_cast<std::size_t>(s.headDim));
        double sum = 0;
        for (std::int64_t p = 0; p <= last; ++p) {
            double score = 0;
            for (std::int64_t d = 0; d < s.headDim; ++d)
                score += double(query[d]) * double(keys(keyHead)[p * stride + d]);
            const double weight = std::exp(score * double(scale));
            sum += weight;
            for (std::int64_t d = 0; d < s.headDim; ++d)
                out[static_cast<std::size_t>(d)] += weight * double(values(keyHead)[p * stride + d]);
        }
        for (double &value : out)
            value /= sum;
        return out;
    }
};

TEST_P(GroupedAttention, OneTokenAndManyEqualTheDefinition)
{
    const std::int64_t group = s.heads / s.keyHeads;
    const std::int64_t width = s.heads * s.headDim;
    const std::int64_t m = std::min<std::int64_t>(s.positions, 5);
    const auto queries = randomFloats(random, static_cast<std::size_t>(m * width));
    std::vector<float> scratch(static_cast<std::size_t>(groupedPrefillScratch(s.headDim)));
    std::vector<float> many(static_cast<std::size_t>(m * width), NAN);
    for (std::int64_t head = 0; head < s.heads; ++head)
        groupedPrefillAttention({.queries = queries.data() + head * s.headDim,
                                 .queryStride = width,
                                 .keys = keys(head / group),
                                 .values = values(head / group),
                                 .stride = stride,
                                 .out = many.data() + head * s.headDim,
                                 .outStride = width,
                                 .m = m,
                                 .firstPosition = s.positions - m,
                                 .headDim = s.headDim,
                                 .scale = scale,
                                 .scratch = scratch.data()});
    for (std::int64_t i = 0; i < m; ++i) {
        const std::int64_t last = s.positions - m + i;
        std::vector<float> one(static_cast<std::size_t>(width), NAN);
        for (std::int64_t k = 0; k < s.keyHeads; ++k)
            groupedAttention({.queries = queries.data() + i * width + k * group * s.headDim,
                              .keys = keys(k),
                              .values = values(k),
                              .stride = stride,
                              .out = one.data() + k * group * s.headDim,
                              .heads = group,
                              .positions = last + 1,
                              .headDim = s.headDim,
                              .scale = scale});
        for (std::int64_t head = 0; head < s.heads; ++head) {
            const auto expected = exact(queries.data() + i * width + head * s.headDim, head / group, last);
            for (std::int64_t d = 0; d < s.headDim; ++d) {
                const auto at = static_cast<std::size_t>(head * s.headDim + d);
                EXPECT_NEAR(one[at], expected[static_cast<std::size_t>(d)], 1e-4);
                EXPECT_NEAR(many[static_cast<std::size_t>(i * width) + at],
                            expected[static_cast<std::size_t>(d)], 1e-4);
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, GroupedAttention,
                         testing::Values(GroupedShape{4, 4, 8, 1}, GroupedShape{6, 2, 20, 70},
                                         GroupedShape{32, 1, 64, 300}, GroupedShape{8, 2, 33, 131}));

TEST(LatentAttentionHeads, ManyHeadsEqualOneByOne)
{
    std::mt19937 random(9);
    const std::int64_t heads = 19; // more than are handled together
    const std::int64_t latent = 24;
    const std::int64_t rope = 8;
    const std::int64_t positions = 150;
    const auto cache = randomFloats(random, static_cast<std::size_t>(positions * (latent + rope)));
    const auto queries = randomFloats(random, static_cast<std::size_t>(heads * (latent + rope)));
    std::vector<float> together(static_cast<std::size_t>(heads * latent));
    std::vector<float> alone(static_cast<std::size_t>(latent));
    latentAttention({queries.data(), cache.data(), together.data(), heads, positions, latent, rope, 0.2F});
    for (std::int64_t h = 0; h < heads; ++h) {
        latentAttention({queries.data() + h * (latent + rope), cache.data(), alone.data(), 1, positions,
                         latent, rope, 0.2F});
        for (std::int64_t c = 0; c < latent; ++c)
            EXPECT_EQ(together[static_cast<std::size_t>(h * latent + c)], alone[static_cast<std::size_t>(c)]);
    }
}

} // namespace
} // namespace bathyscope::kernels

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Distributions and settings that choices of tokens are tried on.
#pragma once

#include "engine/executor/token_choice.h"

#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace bathyscope {

struct NamedLogits {
    std::string name;
    std::vector<float> logits;
};

/// Odd sizes, ties, minus infinity, all alike, nearly certain, and likely tokens that lie beside each other.
inline std::vector<NamedLogits> choiceLogits()
{
    std::mt19937 random(5);
    const auto normal = [&random](std::size_t size, float width) {
        std::normal_distribution<float> value(0, width);
        std::vector<float> logits(size);
        for (float &logit : logits)
            logit = value(random);
        return logits;
    };
    std::vector<NamedLogits> cases;
    for (const std::size_t size : {1U, 2U, 5U, 1000U, 2049U, 32003U, 102400U, 151937U})
        cases.push_back({"normal " + std::to_string(size), normal(size, 3)});
    cases.push_back({"nearly certain", normal(50257, 1)});
    cases.back().logits[50256] = 40;
    cases.push_back({"ties", normal(32003, 3)});
    for (float &logit : cases.back().logits)
        logit = std::round(logit);
    cases.push_back({"minus infinity", normal(32003, 3)});
    for (std::size_t i = 0; i < 32003; ++i)
        if (i % 3 != 1)
            cases.back().logits[i] = -INFINITY;
    cases.push_back({"only two", std::vector<float>(3000, -INFINITY)});
    cases.back().logits[7] = 1;
    cases.back().logits[2999] = 2;
    cases.push_back({"all alike", std::vector<float>(4096, 0.5F)});
    cases.push_back({"too many alike", std::vector<float>(5000, 0.5F)});
    cases.push_back({"side by side", normal(102400, 1)});
    for (std::size_t i = 2048 * 9; i < 2048 * 9 + 1500; ++i)
        cases.back().logits[i] += 12;
    return cases;
}

inline std::vector<ChoiceRequest> choiceRequests()
{
    std::mt19937 random(6);
    std::uniform_real_distribution<double> uniform;
    std::vector<ChoiceRequest> requests = {{.candidates = 1}, {.candidates = 20}, {.candidates = 1000}};
    for (const std::int32_t candidates : {1, 3, 64, 1000})
        for (const float temperature : {0.3F, 1.0F, 1.7F})
            for (const std::int32_t topK : {0, 1, 40})
                for (const float topP : {1.0F, 0.95F, 0.1F, 0.0F})
                    for (const float minP : {0.0F, 0.05F})
                        requests.push_back({.candidates = candidates,
                                            .temperature = temperature,
                                            .topK = topK,
                                            .topP = topP,
                                            .minP = minP,
                                            .uniform = uniform(random)});
    return requests;
}

inline std::string describe(const NamedLogits &logits, const ChoiceRequest &r)
{
    return logits.name + ", " + std::to_string(r.candidates) + " candidates, temperature "
        + std::to_string(r.temperature) + ", top-k " + std::to_string(r.topK) + ", top-p "
        + std::to_string(r.topP) + ", min-p " + std::to_string(r.minP);
}

} // namespace bathyscope

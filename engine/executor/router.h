// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/models/model_config.h"
#include "engine/records.h"

#include <span>
#include <vector>

namespace bathyscope {

/// Chooses a token's experts (DeepSeek-V2, section 2.2; DeepSeek-V3, section 2.1.2). Everything in float32.
class Router {
public:
    explicit Router(const MoeConfig &config);

    /// `logits` [n_routed_experts]; `bias` [n_routed_experts] or empty, added for the choice only.
    /// Writes num_experts_per_tok choices by ascending expert.
    void choose(std::span<const float> logits, std::span<const float> bias, std::span<ExpertChoice> out);

    /// The same choice with all that led to it; `layer` is only copied into the answer.
    [[nodiscard]] RouterDecision explain(std::int32_t layer, std::span<const float> logits,
                                         std::span<const float> bias);

private:
    [[nodiscard]] bool isLimitedToGroups() const;
    void limitToGroups();
    void pick(std::span<ExpertChoice> out);

    MoeConfig m_config;
    std::vector<float> m_scores; ///< what weights are made of
    std::vector<float> m_ranking; ///< what experts are chosen by; minus infinity: not to be chosen
    std::vector<std::pair<float, std::int32_t>> m_groups;
};

} // namespace bathyscope

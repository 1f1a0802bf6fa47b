// SPDX-License-Identifier: GPL-3.0-or-later
//
// From the logits of places of a text to what is told about them.
#pragma once

#include "engine/session/sampler.h"

#include <span>
#include <vector>

namespace bathyscope {

/// Takes the logits of neighbouring places one after the other.
class PositionAnalyser {
public:
    /// `text` [prompt and text] without what follows place `end`; place 0 is text[offset]. The options'
    /// places must lie within. All must outlive the analyser.
    PositionAnalyser(const AnalysisOptions &options, std::span<const TokenId> text, std::size_t offset,
                     const Vocabulary &vocabulary);

    /// The place that the next logits [vocab_size] are of, as an index into the text.
    [[nodiscard]] std::size_t next() const { return m_next; }

    /// `routing` [MoE layers, num_experts_per_tok] of the step that gave the logits; empty: not asked for.
    /// `decisions` likewise.
    void add(std::span<const float> logits, std::span<const ExpertChoice> routing,
             std::vector<RouterDecision> decisions);

    [[nodiscard]] std::vector<PositionAnalysis> take() { return std::move(m_positions); }

private:
    const AnalysisOptions &m_options;
    std::span<const TokenId> m_text;
    const Vocabulary &m_vocabulary;
    std::size_t m_next;
    std::optional<Sampler> m_sampler;
    std::vector<PositionAnalysis> m_positions;
};

} // namespace bathyscope

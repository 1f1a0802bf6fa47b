// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/session/position_analyser.h"

#include <algorithm>
#include <utility>

namespace bathyscope {

PositionAnalyser::PositionAnalyser(const AnalysisOptions &options, std::span<const TokenId> text,
                                   std::size_t offset, const Vocabulary &vocabulary)
    : m_options(options)
    , m_text(text)
    , m_vocabulary(vocabulary)
    , m_next(offset + static_cast<std::size_t>(options.first))
{
    if (options.sampling) {
        m_sampler.emplace(*options.sampling);
        m_sampler->observe(text.first(m_next));
    }
}

void PositionAnalyser::add(std::span<const float> logits, std::span<const ExpertChoice> routing,
                           std::vector<RouterDecision> decisions)
{
    PositionAnalysis &position = m_positions.emplace_back();
    TokenRecord &record = position.record;
    Distribution distribution =
        describeDistribution(logits, std::min(m_options.candidates, maxAnalysedRanks));
    const auto logProb = [&](TokenId id) {
        return logits[static_cast<std::size_t>(id)] - distribution.logSumExp;
    };
    record.id = -1;
    if (m_next < m_text.size()) {
        record.id = m_text[m_next];
        record.bytes = m_vocabulary[static_cast<std::size_t>(record.id)];
        record.logProb = logProb(record.id);
        position.rank = rankOf(logits, record.id);
    }
    record.top = std::move(distribution.top);
    record.restMass = distribution.restMass;
    record.experts.assign(routing.begin(), routing.end());
    position.decisions = std::move(decisions);
    position.entropy = entropyOf(logits, distribution.logSumExp);
    for (const TokenId id : m_options.tokens)
        position.asked.push_back({id, rankOf(logits, id), logProb(id)});
    if (m_sampler) {
        position.sampler = m_sampler->inspect(logits, record.top);
        if (m_next < m_text.size())
            m_sampler->observe(m_text.subspan(m_next, 1));
    }
    ++m_next;
}

} // namespace bathyscope

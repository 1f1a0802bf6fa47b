// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/entropy_reader.h"

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr int tokensAtATime = 256;

} // namespace

void EntropyReader::setSource(AnalysisSource *source)
{
    m_source = source;
    if (source != nullptr)
        connect(source, &AnalysisSource::answered, this,
                [this](std::int64_t question, const std::shared_ptr<const Analysis> &analysis) {
                    onAnswered(question, *analysis);
                });
}

void EntropyReader::follow(const ChatMessage &reply)
{
    if (reply.id != m_reply)
        clear();
    m_reply = reply.id;
    m_tokens = static_cast<int>(reply.tokens.size());
    if (!reply.isRunning() && m_question == 0)
        ask();
}

void EntropyReader::clear()
{
    m_reply = 0;
    m_question = 0;
    m_bits.clear();
}

void EntropyReader::ask()
{
    const int known = static_cast<int>(m_bits.size());
    if (m_source == nullptr || known >= m_tokens || !m_source->objection(m_reply).isEmpty())
        return;
    m_question = m_source->ask(
        m_reply, {.first = known, .count = std::min(m_tokens - known, tokensAtATime), .candidates = 0});
}

/// An empty answer tells that something else came first: the next follow() asks again.
void EntropyReader::onAnswered(std::int64_t question, const Analysis &analysis)
{
    if (question != m_question)
        return;
    m_question = 0;
    for (const PositionAnalysis &position : analysis.positions)
        m_bits.push_back(position.entropy);
    if (analysis.positions.empty())
        return;
    emit grown();
    ask();
}

} // namespace bathyscope::ui

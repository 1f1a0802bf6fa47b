// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/answer_statistics.h"

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

double surprisalOf(const TokenRecord &record)
{
    return std::max(0.0, -static_cast<double>(record.logProb) / std::log(2.0));
}

int rankAmongCandidates(const TokenRecord &record)
{
    if (record.top.empty())
        return 0;
    const auto found = std::find_if(record.top.begin(), record.top.end(),
                                    [&](const Candidate &candidate) { return candidate.id == record.id; });
    return static_cast<int>(found - record.top.begin()) + 1;
}

void TextScore::add(const TokenRecord &record)
{
    if (record.id < 0)
        return;
    ++tokens;
    bits += surprisalOf(record);
}

double TextScore::perplexity() const
{
    return std::exp2(bitsPerToken());
}

TextScore scoreOf(std::span<const TokenRecord> tokens)
{
    TextScore score;
    for (const TokenRecord &record : tokens)
        score.add(record);
    return score;
}

TextScore scoreOf(std::span<const TokenRecord> tokens, Section section)
{
    TextScore score;
    for (const TokenRecord &record : tokens)
        if (record.section == section)
            score.add(record);
    return score;
}

} // namespace bathyscope::ui

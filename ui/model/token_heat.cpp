// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/token_heat.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr double mostSurprisal = 8; // bits
constexpr double mostEntropy = 4; // bits
constexpr double mostRank = 21;

/// The part of the entropy that the candidates tell, in bits.
double knownEntropy(const TokenRecord &record)
{
    double bits = 0;
    for (const Candidate &candidate : record.top) {
        const double logProb = candidate.logProb;
        bits -= std::exp(logProb) * logProb / std::log(2.0);
    }
    return bits;
}

double rankOf(const TokenRecord &record)
{
    const auto found = std::find_if(record.top.begin(), record.top.end(),
                                    [&](const Candidate &candidate) { return candidate.id == record.id; });
    return static_cast<double>(found - record.top.begin()) + 1;
}

QString text(const char *source)
{
    return QCoreApplication::translate("TokenHeat", source);
}

} // namespace

double tokenHeat(const TokenRecord &record, ColorBy by)
{
    if (record.id < 0)
        return 0;
    const double logProb = record.logProb;
    double heat = 0;
    switch (by) {
    case ColorBy::Nothing:
        break;
    case ColorBy::Probability:
        heat = 1 - std::exp(logProb);
        break;
    case ColorBy::Surprisal:
        heat = -logProb / std::log(2.0) / mostSurprisal;
        break;
    case ColorBy::Entropy:
        heat = knownEntropy(record) / mostEntropy;
        break;
    case ColorBy::Rank:
        heat = record.top.empty() ? 0 : std::log(rankOf(record)) / std::log(mostRank);
        break;
    }
    return std::clamp(heat, 0.0, 1.0);
}

TokenScale tokenScale(ColorBy by)
{
    switch (by) {
    case ColorBy::Nothing:
        break;
    case ColorBy::Probability:
        return {text("probability"), text("1"), text("0")};
    case ColorBy::Surprisal:
        return {text("surprisal"), text("0"), text("8 bit")};
    case ColorBy::Entropy:
        return {text("entropy, derived"), text("0"), text("4 bit")};
    case ColorBy::Rank:
        return {text("rank"), text("1"), text("> 20")};
    }
    return {};
}

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/power_law.h"

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr int leastRanks = 8;
constexpr double clearlyBetter = 0.001; // R² that it takes to leave ranks out

PowerLaw fitFrom(std::span<const double> probabilities, int first, int last)
{
    double weights = 0;
    double x = 0;
    double y = 0;
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (int rank = first; rank <= last; ++rank) {
        const double weight = 1.0 / rank;
        const double logRank = std::log(rank);
        const double logProb = std::log(probabilities[static_cast<std::size_t>(rank) - 1]);
        weights += weight;
        x += weight * logRank;
        y += weight * logProb;
        xx += weight * logRank * logRank;
        xy += weight * logRank * logProb;
        yy += weight * logProb * logProb;
    }
    const double varianceX = xx - x * x / weights;
    const double varianceY = yy - y * y / weights;
    const double covariance = xy - x * y / weights;
    const double slope = covariance / varianceX;
    // Probabilities that are all alike lie on a line exactly.
    const double r2 = varianceY > 1e-12 ? covariance * covariance / (varianceX * varianceY) : 1;
    return {slope, std::exp((y - slope * x) / weights), first, last, r2};
}

} // namespace

double PowerLaw::at(double rank) const
{
    return scale * std::pow(rank, slope);
}

std::optional<PowerLaw> fitPowerLaw(std::span<const double> probabilities)
{
    const auto end = std::find_if_not(probabilities.begin(), probabilities.end(),
                                      [](double probability) { return probability > 0; });
    const auto last = static_cast<int>(end - probabilities.begin());
    std::optional<PowerLaw> best;
    for (const int first : {1, 2, 4, 8, 16}) {
        if (last - first + 1 < leastRanks)
            break;
        const PowerLaw fit = fitFrom(probabilities, first, last);
        if (!best || fit.r2 > best->r2 + clearlyBetter)
            best = fit;
    }
    return best;
}

} // namespace bathyscope::ui

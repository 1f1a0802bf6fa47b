// SPDX-License-Identifier: GPL-3.0-or-later
//
// A power law through the probabilities of a distribution in the order of their ranks.
#pragma once

#include <optional>
#include <span>

namespace bathyscope::ui {

/// probability(rank) = scale · rank^slope between two ranks.
struct PowerLaw {
    double slope = 0;
    double scale = 0;
    int first = 0; ///< rank, from 1
    int last = 0; ///< rank, included
    double r2 = 0; ///< share of the variance of log-probability that it explains, weighted as the fit is

    [[nodiscard]] double at(double rank) const;
};

/// The least squares line through log-probability over log-rank, each rank weighted by 1 / rank so that
/// every stretch of the logarithmic axis counts alike. The head often bends away: of the first ranks 1, 2,
/// 4, 8 and 16 the one is taken that gives a clearly better fit than those before. `probabilities` begin with
/// rank 1; the fit ends before the first that is not above 0. None for fewer than eight ranks.
std::optional<PowerLaw> fitPowerLaw(std::span<const double> probabilities);

} // namespace bathyscope::ui

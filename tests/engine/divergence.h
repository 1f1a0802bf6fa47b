// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace bathyscope {

/// Mean over the positions of Σ p log(p / q), in double precision.
inline double meanDivergence(const std::vector<float> &p, const std::vector<float> &q, std::size_t vocabulary)
{
    const auto logSum = [&](const float *x) {
        double sum = 0;
        for (std::size_t i = 0; i < vocabulary; ++i)
            sum += std::exp(double(x[i]));
        return std::log(sum);
    };
    double total = 0;
    for (std::size_t begin = 0; begin < p.size(); begin += vocabulary) {
        const double sumP = logSum(p.data() + begin);
        const double sumQ = logSum(q.data() + begin);
        for (std::size_t i = begin; i < begin + vocabulary; ++i)
            total += std::exp(double(p[i]) - sumP) * (double(p[i]) - sumP - double(q[i]) + sumQ);
    }
    return total / double(p.size() / vocabulary);
}

} // namespace bathyscope

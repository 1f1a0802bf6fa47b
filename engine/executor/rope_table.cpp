// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/rope_table.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bathyscope {

namespace {

double yarnMscale(double factor, double mscale)
{
    return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

/// Dimension at which a full period takes `rotations` turns within the original context (arXiv 2309.00071).
double correctionDimension(double rotations, double dimensions, double theta, double context)
{
    return dimensions * std::log(context / (rotations * 2 * std::numbers::pi)) / (2 * std::log(theta));
}

/// Llama 3.1's scaling of one frequency.
double llama3Frequency(const Llama3RopeConfig &config, double frequency)
{
    const double turns = config.originalMaxPositionEmbeddings * frequency / (2 * std::numbers::pi);
    const double smooth = (turns - config.lowFreqFactor) / (config.highFreqFactor - config.lowFreqFactor);
    const double kept = std::clamp(smooth, 0.0, 1.0);
    return kept * frequency + (1 - kept) * frequency / config.factor;
}

} // namespace

RopeTable::RopeTable(const RopeConfig &config, std::int32_t dimensions)
{
    double low = 0;
    double high = 0;
    if (config.yarn) {
        const YarnConfig &yarn = *config.yarn;
        const double context = yarn.originalMaxPositionEmbeddings;
        low =
            std::max(std::floor(correctionDimension(yarn.betaFast, dimensions, config.theta, context)), 0.0);
        high = std::min(std::ceil(correctionDimension(yarn.betaSlow, dimensions, config.theta, context)),
                        double(dimensions - 1));
        if (low == high)
            high += 0.001; // as the published code, which divides by the difference
        m_factor = static_cast<float>(yarnMscale(yarn.factor, yarn.mscale)
                                      / yarnMscale(yarn.factor, yarn.mscaleAllDim));
    }
    for (std::int32_t i = 0; i < dimensions / 2; ++i) {
        double frequency = std::pow(config.theta, -2.0 * i / dimensions);
        if (config.yarn) {
            const double ramp = std::clamp((i - low) / (high - low), 0.0, 1.0);
            frequency = frequency / config.yarn->factor * ramp + frequency * (1 - ramp);
        } else if (config.llama3) {
            frequency = llama3Frequency(*config.llama3, frequency);
        }
        if (!config.frequencyFactors.empty())
            frequency /= double(config.frequencyFactors[static_cast<std::size_t>(i)]);
        m_inverseFrequencies.push_back(static_cast<float>(frequency));
    }
}

void RopeTable::angles(std::int64_t position, float *cosines, float *sines) const
{
    for (std::size_t i = 0; i < m_inverseFrequencies.size(); ++i) {
        // The product is rounded to float32 as in the reference implementations, which matters far out.
        const float angle = static_cast<float>(position) * m_inverseFrequencies[i];
        cosines[i] = std::cos(angle) * m_factor;
        sines[i] = std::sin(angle) * m_factor;
    }
}

} // namespace bathyscope

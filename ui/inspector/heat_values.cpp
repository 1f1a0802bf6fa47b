// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/heat_values.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace bathyscope::ui {

namespace {

constexpr float logRange = 1000; // a logarithmic scale reaches down to the thousandth of its end

/// The next 1, 2, 3 or 5 times a power of ten.
float niceCeiling(float value)
{
    if (!(value > 0))
        return 1;
    const float power = std::pow(10.0F, std::floor(std::log10(value)));
    for (const float step : {1.0F, 2.0F, 3.0F, 5.0F})
        if (value <= step * power * 1.0001F)
            return step * power;
    return 10 * power;
}

} // namespace

HeatNumbers weightsOf(const TokenRecord &record, int layers, int experts, int expertsPerToken)
{
    const auto perToken = static_cast<std::size_t>(std::max(1, expertsPerToken));
    if (experts <= 0 || record.experts.size() != static_cast<std::size_t>(std::max(0, layers)) * perToken)
        return {};
    HeatNumbers numbers(static_cast<std::size_t>(layers) * static_cast<std::size_t>(experts));
    for (std::size_t i = 0; i < record.experts.size(); ++i)
        if (record.experts[i].expert < experts)
            numbers[i / perToken * static_cast<std::size_t>(experts) + record.experts[i].expert] =
                record.experts[i].weight;
    return numbers;
}

HeatNumbers sharesOf(const RoutingAggregate &aggregate)
{
    HeatNumbers numbers;
    numbers.reserve(static_cast<std::size_t>(aggregate.layers() * aggregate.experts()));
    for (int layer = 0; layer < aggregate.layers(); ++layer)
        for (int expert = 0; expert < aggregate.experts(); ++expert)
            numbers.push_back(static_cast<float>(aggregate.share(layer, expert)));
    return numbers;
}

HeatNumbers differenceOf(HeatNumbers first, const HeatNumbers &second)
{
    if (first.size() != second.size())
        return {};
    std::transform(first.begin(), first.end(), second.begin(), first.begin(), std::minus());
    return first;
}

HeatNumbers overUniform(HeatNumbers shares, int experts)
{
    for (float &share : shares)
        share *= static_cast<float>(experts);
    return shares;
}

HeatScale::HeatScale(const HeatMode &mode, const HeatNumbers &numbers)
    : m_mode(mode)
{
    float largest = 0;
    for (const float number : numbers)
        largest = std::max(largest, std::abs(number));
    m_high = niceCeiling(largest);
    if (mode.isDifference()) {
        m_low = -m_high;
    } else if (mode.isDiverging()) {
        m_middle = 1;
        m_high = std::max(2.0F, m_high);
        m_low = mode.scale == HeatMode::Scale::Logarithmic ? 1 / m_high : 0;
    } else if (mode.scale == HeatMode::Scale::Logarithmic) {
        m_low = m_high / logRange;
    }
}

float HeatScale::placeOf(float number) const
{
    const bool logarithmic = m_mode.scale == HeatMode::Scale::Logarithmic;
    if (m_mode.isDifference()) {
        const float size = std::min(1.0F, std::abs(number) / m_high);
        const float place = logarithmic
            ? std::max(0.0F, 1 + std::log(size > 0 ? size : 1 / logRange) / std::log(logRange))
            : size;
        return std::copysign(place, number);
    }
    if (m_mode.isDiverging()) { // around the uniform share, 1
        if (logarithmic)
            return number > 0 ? std::clamp(std::log(number) / std::log(m_high), -1.0F, 1.0F) : -1.0F;
        return number < 1 ? number - 1 : std::min(1.0F, (number - 1) / (m_high - 1));
    }
    if (!(number > 0))
        return 0;
    // What is there at all is told from what is not, however little it is.
    constexpr float least = 1e-6F;
    const float place = logarithmic ? 1 + std::log(number / m_high) / std::log(logRange) : number / m_high;
    return std::clamp(place, least, 1.0F);
}

std::vector<float> HeatScale::place(const HeatNumbers &numbers) const
{
    std::vector<float> places(numbers.size());
    std::transform(numbers.begin(), numbers.end(), places.begin(),
                   [this](float number) { return placeOf(number); });
    return places;
}

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the heatmap shows: for every layer and expert a number, and where it lies on the scale of colours.
#pragma once

#include "ui/inspector/routing_aggregate.h"

#include <vector>

namespace bathyscope::ui {

struct HeatMode {
    enum class Show {
        Token, ///< weights of one token's experts
        Reply, ///< shares of the choices over the reply
        Sections, ///< share in the reasoning minus share in the answer
        Pinned, ///< weights of the token minus those of a pinned one
        Sibling ///< share in this reply minus share in another one
    };
    enum class Scale { Linear, Logarithmic };
    enum class Share { Absolute, OverUniform }; ///< the uniform share: 1 / experts

    Show show = Show::Token;
    Scale scale = Scale::Linear;
    Share share = Share::Absolute; ///< of what is made of shares

    [[nodiscard]] bool isOfShares() const { return show != Show::Token && show != Show::Pinned; }
    [[nodiscard]] bool isDifference() const
    {
        return show == Show::Sections || show == Show::Pinned || show == Show::Sibling;
    }
    /// Colours go both ways from a middle: no difference, or the uniform share.
    [[nodiscard]] bool isDiverging() const
    {
        return isDifference() || (isOfShares() && share == Share::OverUniform);
    }

    bool operator==(const HeatMode &) const = default;
};

/// [MoE layers, experts] numbers in the unit of the mode: weights, shares 0…1, or multiples of the uniform
/// share.
using HeatNumbers = std::vector<float>;

/// Weights of a token's experts, 0 for the others; empty when it was not traced in this shape.
HeatNumbers weightsOf(const TokenRecord &record, int layers, int experts, int expertsPerToken);
/// Shares of all experts.
HeatNumbers sharesOf(const RoutingAggregate &aggregate);
/// first - second; empty unless both are there.
HeatNumbers differenceOf(HeatNumbers first, const HeatNumbers &second);
/// Shares as multiples of the uniform share.
HeatNumbers overUniform(HeatNumbers shares, int experts);

/// A scale with round ends, so that it does not change with every token.
class HeatScale {
public:
    /// For these numbers.
    HeatScale(const HeatMode &mode, const HeatNumbers &numbers);

    /// Places on the scale: 0…1, where 0 is nothing at all, or -1…1 around the middle.
    [[nodiscard]] std::vector<float> place(const HeatNumbers &numbers) const;

    [[nodiscard]] float low() const { return m_low; } ///< the number at the scale's beginning
    [[nodiscard]] float middle() const { return m_middle; } ///< of a diverging one
    [[nodiscard]] float high() const { return m_high; }
    [[nodiscard]] bool isDiverging() const { return m_mode.isDiverging(); }

private:
    [[nodiscard]] float placeOf(float number) const;

    HeatMode m_mode;
    float m_low = 0;
    float m_middle = 0;
    float m_high = 1;
};

} // namespace bathyscope::ui

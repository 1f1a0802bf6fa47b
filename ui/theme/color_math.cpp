// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/color_math.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr std::array whitePoint{0.95047, 1.0, 1.08883};
constexpr double labEpsilon = 216.0 / 24389.0;
constexpr double labKappa = 24389.0 / 27.0;

double linear(double value)
{
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

double gammaEncoded(double value)
{
    return value <= 0.0031308 ? value * 12.92 : 1.055 * std::pow(value, 1 / 2.4) - 0.055;
}

double labForward(double value)
{
    return value > labEpsilon ? std::cbrt(value) : (labKappa * value + 16) / 116;
}

double labInverse(double value)
{
    const double cube = value * value * value;
    return cube > labEpsilon ? cube : (116 * value - 16) / labKappa;
}

double luminance(const QColor &color)
{
    return 0.2126729 * linear(color.redF()) + 0.7151522 * linear(color.greenF())
        + 0.0721750 * linear(color.blueF());
}

} // namespace

LabColor toLab(const QColor &color)
{
    const double r = linear(color.redF());
    const double g = linear(color.greenF());
    const double b = linear(color.blueF());
    const double x = labForward((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / whitePoint[0]);
    const double y = labForward((0.2126729 * r + 0.7151522 * g + 0.0721750 * b) / whitePoint[1]);
    const double z = labForward((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / whitePoint[2]);
    return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

QColor fromLab(const LabColor &color)
{
    const double fy = (color.lightness + 16) / 116;
    const double x = labInverse(fy + color.a / 500) * whitePoint[0];
    const double y = labInverse(fy) * whitePoint[1];
    const double z = labInverse(fy - color.b / 200) * whitePoint[2];
    const auto channel = [](double value) {
        return std::lround(255 * gammaEncoded(std::clamp(value, 0.0, 1.0)));
    };
    return QColor(static_cast<int>(channel(3.2404542 * x - 1.5371385 * y - 0.4985314 * z)),
                  static_cast<int>(channel(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z)),
                  static_cast<int>(channel(0.0556434 * x - 0.2040259 * y + 1.0572252 * z)));
}

QColor mixLab(const QColor &from, const QColor &to, double t)
{
    const LabColor first = toLab(from);
    const LabColor last = toLab(to);
    return fromLab({std::lerp(first.lightness, last.lightness, t), std::lerp(first.a, last.a, t),
                    std::lerp(first.b, last.b, t)});
}

double contrastRatio(const QColor &first, const QColor &second)
{
    const auto [dark, light] = std::minmax({luminance(first), luminance(second)});
    return (light + 0.05) / (dark + 0.05);
}

} // namespace bathyscope::ui

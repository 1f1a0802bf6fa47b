// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers for people, with a true minus sign and a point in every locale, so that columns line up.
#pragma once

#include <QString>

namespace bathyscope::ui {

/// "−2.641"
inline QString fixedText(double value, int decimals)
{
    QString text = QString::number(value, 'f', decimals);
    text.replace(QLatin1Char('-'), QChar(0x2212));
    return text;
}

/// Two decimals; what is less than they can say is "< 0.01 %".
inline QString percentText(double probability)
{
    if (probability > 0 && probability < 0.00005)
        return QStringLiteral("< 0.01 %");
    return fixedText(100 * probability, 2) + QStringLiteral(" %");
}

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers for people, with a true minus sign and a point in every locale, so that columns line up.
#pragma once

#include <QLocale>
#include <QString>

namespace bathyscope::ui {

/// "−2.641"
inline QString fixedText(double value, int decimals)
{
    QString text = QString::number(value, 'f', decimals);
    text.replace(QLatin1Char('-'), QChar(0x2212));
    return text;
}

/// "1,234,567"
inline QString groupedText(qint64 value)
{
    return QLocale(QLocale::English, QLocale::UnitedStates).toString(value);
}

/// "5.6 M", "812,000": about as many, for what is too large to be read digit by digit.
inline QString shortCount(qint64 value)
{
    if (value >= 1000000)
        return QStringLiteral("%1 M").arg(QString::number(static_cast<double>(value) / 1e6, 'g', 3));
    return groupedText(value >= 10000 ? value / 1000 * 1000 : value);
}

/// Two decimals; what is less than they can say is "< 0.01 %".
inline QString percentText(double probability)
{
    if (probability > 0 && probability < 0.00005)
        return QStringLiteral("< 0.01 %");
    return fixedText(100 * probability, 2) + QStringLiteral(" %");
}

} // namespace bathyscope::ui

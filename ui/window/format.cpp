// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/format.h"

#include <QLocale>
#include <QStringList>

namespace bathyscope::ui {

namespace {

constexpr qsizetype titleLength = 60; // characters
constexpr qsizetype shortQuestion = 24; // characters

QString firstLine(const QString &text)
{
    return text.trimmed().section(QLatin1Char('\n'), 0, 0).simplified();
}

/// Two digits or more: "17", "1.5".
QString shortNumber(double value)
{
    return QLocale().toString(value, 'f', value < 9.95 ? 1 : 0);
}

} // namespace

QString formatParameters(std::uint64_t count)
{
    const auto value = static_cast<double>(count);
    if (value >= 1e9)
        return shortNumber(value / 1e9) + QStringLiteral(" B");
    if (value >= 1e6)
        return shortNumber(value / 1e6) + QStringLiteral(" M");
    return shortNumber(value / 1e3) + QStringLiteral(" k");
}

QString formatBytes(std::int64_t bytes)
{
    const auto value = static_cast<double>(bytes);
    if (value >= 1e9)
        return shortNumber(value / 1e9) + QStringLiteral(" GB");
    if (value >= 1e6)
        return shortNumber(value / 1e6) + QStringLiteral(" MB");
    if (value >= 1e3)
        return shortNumber(value / 1e3) + QStringLiteral(" kB");
    return QLocale().toString(static_cast<qlonglong>(bytes)) + QStringLiteral(" B");
}

QString formatSpeed(double tokensPerSecond)
{
    return QLocale().toString(tokensPerSecond, 'f', tokensPerSecond < 10 ? 1 : 0)
        + QStringLiteral(" tokens/s");
}

QString formatModel(const ModelInfo &model, const QString &title)
{
    QStringList parts{title.isEmpty() ? QString::fromStdString(model.name) : title};
    if (model.parameters > 0)
        parts << formatParameters(model.parameters);
    if (!model.dtype.empty())
        parts << QString::fromStdString(model.dtype);
    return parts.join(QStringLiteral(" · "));
}

QString titleFrom(const QString &question)
{
    const QString line = firstLine(question);
    if (line.size() <= titleLength)
        return line;
    const qsizetype space = line.lastIndexOf(QLatin1Char(' '), titleLength);
    return line.left(space > titleLength / 2 ? space : titleLength) + QStringLiteral("…");
}

QString titleFrom(const QString &question, const QString &answer)
{
    const QString asked = firstLine(question);
    QString said = firstLine(answer);
    for (const char *mark : {"**", "__", "`", "# ", "#"})
        said.remove(QLatin1String(mark));
    if (asked.size() >= shortQuestion || said.isEmpty())
        return titleFrom(question);
    return titleFrom(QStringLiteral("%1 – %2").arg(asked, said));
}

} // namespace bathyscope::ui

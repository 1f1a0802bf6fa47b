// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/theme.h"

#include "ui/theme/color_math.h"

#include <QApplication>
#include <QComboBox>
#include <QFile>
#include <QFontDatabase>
#include <QPalette>
#include <QProxyStyle>
#include <QStyledItemDelegate>
#include <QToolTip>

#include <algorithm>
#include <array>
#include <utility>

// Resources of a static library must be asked for, from outside of any namespace.
static void initResources()
{
    Q_INIT_RESOURCE(bathyscope);
}

namespace bathyscope::ui::theme {

namespace {

/// Fusion, but for the list of a combo box: a plain list below it, which the style sheet can reach.
class Style final : public QProxyStyle {
public:
    Style()
        : QProxyStyle(QStringLiteral("Fusion"))
    {
    }

    int styleHint(StyleHint hint, const QStyleOption *option, const QWidget *widget,
                  QStyleHintReturn *result) const override
    {
        return hint == SH_ComboBox_Popup ? 0 : QProxyStyle::styleHint(hint, option, widget, result);
    }

    void polish(QWidget *widget) override
    {
        QProxyStyle::polish(widget);
        if (auto *box = qobject_cast<QComboBox *>(widget))
            box->setItemDelegate(new QStyledItemDelegate(box));
    }
    using QProxyStyle::polish;
};

Colors lightColors()
{
    return {.dark = false,
            .ground = "#f6f6f3",
            .panel = "#ffffff",
            .text = "#1c2430",
            .secondary = "#5c6472",
            .line = "#e2e3de",
            .accent = "#0b727b",
            .onAccent = "#ffffff",
            .ownMessage = "#e7f1f1",
            .reasoning = "#f0f4f3",
            .selection = "#fde9c8",
            .selectionOutline = "#d98a0b",
            .hover = "#eef3f3",
            .code = "#f0f1ed",
            .error = "#b3261e"};
}

Colors darkColors()
{
    return {.dark = true,
            .ground = "#0f1419",
            .panel = "#161d24",
            .text = "#e4e9ef",
            .secondary = "#98a3b2",
            .line = "#27313b",
            .accent = "#43bdb4",
            .onAccent = "#0f1419",
            .ownMessage = "#1b2d33",
            .reasoning = "#1a232b",
            .selection = "#5a4519",
            .selectionOutline = "#e0a326",
            .hover = "#1d2831",
            .code = "#1c252e",
            .error = "#ff8a80"};
}

constexpr int scaleSteps = 512;
using Scale = std::array<QColor, scaleSteps + 1>;

/// Colours of one scheme with the scales made from them.
struct Scheme {
    Colors colors;
    Scale heat;
    Scale difference;

    explicit Scheme(const Colors &values)
        : colors(values)
    {
        const QColor deepest = colors.dark ? QColor("#f4cf5f") : QColor("#0b2447");
        const QColor blue = colors.dark ? QColor("#6cb0f7") : QColor("#1b5fb0");
        const QColor orange = colors.dark ? QColor("#f58f42") : QColor("#b9510a");
        for (int i = 0; i <= scaleSteps; ++i) {
            const double t = static_cast<double>(i) / scaleSteps;
            const auto step = static_cast<std::size_t>(i);
            heat[step] = t < 0.5 ? mixLab(colors.ground, colors.accent, 2 * t)
                                 : mixLab(colors.accent, deepest, 2 * t - 1);
            difference[step] =
                t < 0.5 ? mixLab(blue, colors.ground, 2 * t) : mixLab(colors.ground, orange, 2 * t - 1);
        }
    }
};

const Scheme &scheme(bool dark)
{
    static const Scheme light(lightColors());
    static const Scheme night(darkColors());
    return dark ? night : light;
}

/// The scheme last applied; only the interface thread touches it.
const Scheme *&current()
{
    static const Scheme *applied = &scheme(false);
    return applied;
}

const QColor &at(const Scale &scale, double value)
{
    return scale[static_cast<std::size_t>(std::clamp(value, 0.0, 1.0) * scaleSteps + 0.5)];
}

/// Qt tells the desktop's scheme only from 6.5 on; its palette tells it in every version.
bool systemIsDark()
{
    QApplication::setPalette(QPalette());
    const QPalette palette = QApplication::palette();
    return palette.color(QPalette::WindowText).lightness() > palette.color(QPalette::Window).lightness();
}

void loadFonts()
{
    static const bool loaded = [] {
        for (const char *name :
             {"Inter-Regular.otf", "Inter-Italic.otf", "Inter-Medium.otf", "Inter-SemiBold.otf",
              "Inter-Bold.otf", "Inter-BoldItalic.otf", "BathyscopeFigures-Regular.otf",
              "JetBrainsMono-Regular.ttf", "JetBrainsMono-Bold.ttf", "JetBrainsMono-Italic.ttf"})
            QFontDatabase::addApplicationFont(QStringLiteral(":/bathyscope/fonts/") + QLatin1String(name));
        return true;
    }();
    Q_UNUSED(loaded)
}

QFont font(const QStringList &families, int pixels)
{
    QFont result;
    result.setFamilies(families);
    result.setPixelSize(pixels);
    result.setHintingPreference(QFont::PreferNoHinting);
    return result;
}

QPalette paletteOf(const Colors &colors)
{
    QPalette palette;
    const std::pair<QPalette::ColorRole, QColor> roles[] = {{QPalette::Window, colors.ground},
                                                            {QPalette::WindowText, colors.text},
                                                            {QPalette::Base, colors.panel},
                                                            {QPalette::AlternateBase, colors.ground},
                                                            {QPalette::Text, colors.text},
                                                            {QPalette::PlaceholderText, colors.secondary},
                                                            {QPalette::Button, colors.panel},
                                                            {QPalette::ButtonText, colors.text},
                                                            {QPalette::BrightText, colors.error},
                                                            {QPalette::ToolTipBase, colors.panel},
                                                            {QPalette::ToolTipText, colors.text},
                                                            {QPalette::Highlight, colors.accent},
                                                            {QPalette::Link, colors.accent},
                                                            {QPalette::LinkVisited, colors.accent},
                                                            {QPalette::Light, colors.panel},
                                                            {QPalette::Midlight, colors.line},
                                                            {QPalette::Mid, colors.line},
                                                            {QPalette::Dark, colors.secondary},
                                                            {QPalette::HighlightedText, colors.onAccent}};
    for (const auto &[role, color] : roles)
        palette.setColor(role, color);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, colors.secondary);
    return palette;
}

QString styleSheet(const Colors &colors)
{
    QFile file(QStringLiteral(":/bathyscope/style/bathyscope.qss"));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    QString sheet = QString::fromUtf8(file.readAll());
    const std::pair<const char *, QColor> names[] = {
        {"@text", colors.text},
        {"@secondary", colors.secondary},
        {"@ground", colors.ground},
        {"@panel", colors.panel},
        {"@line", colors.line},
        {"@accent", colors.accent},
        {"@onAccent", colors.onAccent},
        {"@ownMessage", colors.ownMessage},
        {"@hover", colors.hover},
        {"@selection", colors.selection},
        {"@amber", colors.selectionOutline},
        {"@error", colors.error},
        {"@handle", mixLab(colors.line, colors.secondary, 0.25)}};
    for (const auto &[name, color] : names)
        sheet.replace(QLatin1String(name), color.name());
    return sheet;
}

} // namespace

void apply(QApplication &application, ColorScheme wanted)
{
    initResources();
    loadFonts();
    application.setStyleSheet({});
    QApplication::setStyle(new Style);
    const bool dark = wanted == ColorScheme::Dark || (wanted == ColorScheme::System && systemIsDark());
    current() = &scheme(dark);
    QApplication::setFont(textFont());
    QApplication::setPalette(paletteOf(colors()));
    QToolTip::setPalette(QApplication::palette());
    QToolTip::setFont(smallFont());
    application.setStyleSheet(styleSheet(colors()));
}

const Colors &colors()
{
    return current()->colors;
}

QFont textFont()
{
    return font({QStringLiteral("Inter")}, 14);
}

QFont messageFont()
{
    return font({QStringLiteral("Inter")}, 15);
}

QFont smallFont()
{
    return font({QStringLiteral("Inter")}, 12);
}

QFont monoFont()
{
    QFont result = font({QStringLiteral("JetBrains Mono")}, 13);
    result.setStyleHint(QFont::Monospace);
    return result;
}

QFont numberFont()
{
    return font({QStringLiteral("Bathyscope Figures"), QStringLiteral("Inter")}, 14);
}

QColor heat(double value)
{
    return at(current()->heat, value);
}

QColor difference(double value)
{
    return at(current()->difference, (value + 1) / 2);
}

QIcon applicationIcon()
{
    initResources();
    QIcon icon;
    for (const int size : {16, 32, 48, 64, 128, 256})
        icon.addFile(QStringLiteral(":/bathyscope/icons/bathyscope-%1.png").arg(size));
    return icon;
}

} // namespace bathyscope::ui::theme

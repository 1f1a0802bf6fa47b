// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/settings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace bathyscope::app {

namespace {

constexpr int maxRecentModels = 8;
constexpr int maxThreads = 1024;
constexpr int maxContext = 1 << 24;
constexpr int maxTraceMegabytes = 100'000'000;
constexpr int maxTraceDays = 36'500;

const std::array<std::pair<ui::ColorScheme, const char *>, 3> schemes = {{{ui::ColorScheme::System, "system"},
                                                                          {ui::ColorScheme::Light, "light"},
                                                                          {ui::ColorScheme::Dark, "dark"}}};

} // namespace

Settings::Settings(const QString &profileFolder)
    : m_store(profileFolder + QStringLiteral("/settings.ini"), QSettings::IniFormat)
{
}

int Settings::integer(const QString &key, int least, int most, int otherwise) const
{
    bool read = false;
    const int value = m_store.value(key).toInt(&read);
    return read && value >= least && value <= most ? value : otherwise;
}

ui::Preferences Settings::preferences() const
{
    ui::Preferences result;
    const QString name = m_store.value(QStringLiteral("colors")).toString();
    for (const auto &[scheme, text] : schemes) {
        if (name == QLatin1String(text))
            result.scheme = scheme;
    }
    result.textSize = integer(QStringLiteral("textSize"), 50, 400, result.textSize);
    result.traceMegabytes =
        integer(QStringLiteral("traceMegabytes"), 0, maxTraceMegabytes, result.traceMegabytes);
    result.traceDays = integer(QStringLiteral("traceDays"), 0, maxTraceDays, result.traceDays);
    result.historyFolder = m_store.value(QStringLiteral("historyFolder")).toString();
    return result;
}

void Settings::setPreferences(const ui::Preferences &preferences)
{
    for (const auto &[scheme, text] : schemes) {
        if (preferences.scheme == scheme)
            m_store.setValue(QStringLiteral("colors"), QLatin1String(text));
    }
    m_store.setValue(QStringLiteral("textSize"), preferences.textSize);
    m_store.setValue(QStringLiteral("traceMegabytes"), preferences.traceMegabytes);
    m_store.setValue(QStringLiteral("traceDays"), preferences.traceDays);
    m_store.setValue(QStringLiteral("historyFolder"), preferences.historyFolder);
}

LocalBackendOptions Settings::loading() const
{
    const LocalBackendOptions defaults;
    const QString device = m_store.value(QStringLiteral("device")).toString();
    return {.device = device.isEmpty() ? defaults.device : device.toStdString(),
            .threads = integer(QStringLiteral("threads"), 0, maxThreads, defaults.threads),
            .contextLength = integer(QStringLiteral("contextLength"), 0, maxContext, defaults.contextLength),
            .quantise = m_store.value(QStringLiteral("quantise")).toBool(),
            .bf16Activations = m_store.value(QStringLiteral("bf16Activations")).toBool(),
            .hostExperts = m_store.value(QStringLiteral("hostExperts")).toBool()};
}

void Settings::setLoading(const LocalBackendOptions &loading)
{
    m_store.setValue(QStringLiteral("device"), QString::fromStdString(loading.device));
    m_store.setValue(QStringLiteral("threads"), loading.threads);
    m_store.setValue(QStringLiteral("contextLength"), loading.contextLength);
    m_store.setValue(QStringLiteral("quantise"), loading.quantise);
    m_store.setValue(QStringLiteral("bf16Activations"), loading.bf16Activations);
    m_store.setValue(QStringLiteral("hostExperts"), loading.hostExperts);
}

std::optional<SamplingParameters> Settings::sampling() const
{
    const QVariantMap stored = m_store.value(QStringLiteral("sampling")).toMap();
    if (stored.isEmpty())
        return std::nullopt;
    const SamplingParameters defaults;
    const auto number = [&stored](const char *key, float otherwise, float most) {
        bool read = false;
        const float value = stored.value(QLatin1String(key)).toFloat(&read);
        return read && std::isfinite(value) ? std::clamp(value, 0.0F, most) : otherwise;
    };
    const auto count = [&stored](const char *key) {
        return std::max(0, stored.value(QLatin1String(key)).toInt());
    };
    SamplingParameters result;
    result.temperature = number("temperature", defaults.temperature, 10);
    result.topK = count("topK");
    result.topP = number("topP", defaults.topP, 1);
    result.minP = number("minP", defaults.minP, 1);
    result.repetitionPenalty = number("repetitionPenalty", defaults.repetitionPenalty, 10);
    result.maxTokens = count("maxTokens");
    if (stored.contains(QStringLiteral("seed")))
        result.seed = stored.value(QStringLiteral("seed")).toULongLong();
    return result;
}

void Settings::setSampling(const std::optional<SamplingParameters> &sampling)
{
    if (!sampling) {
        m_store.remove(QStringLiteral("sampling"));
        return;
    }
    QVariantMap stored{{QStringLiteral("temperature"), sampling->temperature},
                       {QStringLiteral("topK"), sampling->topK},
                       {QStringLiteral("topP"), sampling->topP},
                       {QStringLiteral("minP"), sampling->minP},
                       {QStringLiteral("repetitionPenalty"), sampling->repetitionPenalty},
                       {QStringLiteral("maxTokens"), sampling->maxTokens}};
    if (sampling->seed)
        stored.insert(QStringLiteral("seed"), QVariant::fromValue(static_cast<qulonglong>(*sampling->seed)));
    m_store.setValue(QStringLiteral("sampling"), stored);
}

QString Settings::systemPrompt() const
{
    return m_store.value(QStringLiteral("systemPrompt")).toString();
}

void Settings::setSystemPrompt(const QString &text)
{
    m_store.setValue(QStringLiteral("systemPrompt"), text);
}

QString Settings::lastModel() const
{
    return m_store.value(QStringLiteral("lastModel")).toString();
}

QStringList Settings::recentModels() const
{
    return m_store.value(QStringLiteral("recentModels")).toStringList();
}

void Settings::setLastModel(const QString &directory, bool builtin)
{
    m_store.setValue(QStringLiteral("lastModel"), builtin ? QString() : directory);
    if (builtin)
        return;
    QStringList recent = recentModels();
    recent.removeAll(directory);
    recent.prepend(directory);
    m_store.setValue(QStringLiteral("recentModels"), recent.mid(0, maxRecentModels));
}

QString Settings::modelTitle(const QString &path) const
{
    return m_store.value(QStringLiteral("modelTitles")).toMap().value(path).toString();
}

void Settings::setModelTitle(const QString &path, const QString &title)
{
    QVariantMap titles = m_store.value(QStringLiteral("modelTitles")).toMap();
    const QStringList recent = recentModels();
    for (const QString &known : titles.keys()) // those that no list shows any more
        if (!recent.contains(known))
            titles.remove(known);
    titles.insert(path, title);
    m_store.setValue(QStringLiteral("modelTitles"), titles);
}

QStringList Settings::libraryFolders() const
{
    return m_store.value(QStringLiteral("libraryFolders")).toStringList();
}

void Settings::setLibraryFolders(const QStringList &folders)
{
    m_store.setValue(QStringLiteral("libraryFolders"), folders);
}

std::int64_t Settings::lastConversation() const
{
    return m_store.value(QStringLiteral("lastConversation")).toLongLong();
}

void Settings::setLastConversation(std::int64_t id)
{
    m_store.setValue(QStringLiteral("lastConversation"), static_cast<qlonglong>(id));
}

QByteArray Settings::windowLayout() const
{
    return m_store.value(QStringLiteral("windowLayout")).toByteArray();
}

void Settings::setWindowLayout(const QByteArray &layout)
{
    m_store.setValue(QStringLiteral("windowLayout"), layout);
}

} // namespace bathyscope::app

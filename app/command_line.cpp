// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"

#include "engine/limits.h"

#include <QCommandLineParser>
#include <QCoreApplication>

#include <cmath>

namespace bathyscope::app {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("bathyscope::app::CommandLine", text);
}

void addOptions(QCommandLineParser &parser)
{
    parser.setApplicationDescription(
        tr("Chat with a local reasoning model and look inside it while it works."));
    parser.addOptions({
        {{"h", "help"}, tr("Print this help.")},
        {{"v", "version"}, tr("Print the version.")},
        {"model", tr("Open the model at PATH, a directory or a GGUF file, instead of the last one."), "PATH"},
        {"profile", tr("Keep settings and history in DIR."), "DIR"},
        {"read-only", tr("Open the history for reading only, also one of a newer version.")},
        {"color", tr("Colour scheme: light or dark."), "SCHEME"},
        {"size", tr("Size of the window in pixels, as 1440x900."), "WxH"},
        {"device",
         tr("Where the model runs: auto, cpu, cuda (as many GPUs as it takes) or one GPU, as cuda:0."), "D"},
        {"context", tr("Tokens that the context holds; 0: what the model and the memory allow."), "N"},
        {"threads", tr("Threads of the CPU; 0: one for each core."), "N"},
        {"temperature",
         tr("Temperature of the sampler; 0 takes the most probable token. With --offscreen and "
            "--prompt it is 0 unless given, so that the same question gets the same answer."),
         "T"},
        {"seed", tr("Seed of the sampler."), "N"},
        {"prompt", tr("Type TEXT into the window and send it; may be given several times."), "TEXT"},
        {"offscreen",
         tr("Work without a display. With --prompt: print the answers and leave. Without "
            "--profile nothing is kept.")},
        {"screenshot", tr("Write a picture of the window to FILE after the last answer."), "FILE.png"},
        {"select-token",
         tr("Select token N (from 0) of the last answer. With --screenshot a token of the answer "
            "is selected unless given."),
         "N"},
        {"page", tr("Show page N of the inspector, counted from 1."), "N"},
        {"quit-after-answer", tr("Leave after the last answer, also with a display.")},
    });
}

/// Reads option values and remembers what is wrong with the first bad one.
class Values {
public:
    explicit Values(const QCommandLineParser &parser)
        : m_parser(parser)
    {
    }

    template <typename Number>
    std::optional<Number> number(const char *name, double least, double most)
    {
        const QString key = QLatin1String(name);
        if (!m_parser.isSet(key))
            return std::nullopt;
        const QString text = m_parser.value(key);
        bool read = false;
        // Not through double, so that a seed of 64 bits stays what it is.
        const auto value = [&] {
            if constexpr (std::is_floating_point_v<Number>)
                return static_cast<Number>(text.toDouble(&read));
            else
                return static_cast<Number>(text.toULongLong(&read));
        }();
        const auto size = static_cast<double>(value);
        if (!read || !std::isfinite(size) || size < least || size > most) {
            fail(name, text, tr("a number from %1 to %2").arg(least).arg(most));
            return std::nullopt;
        }
        return value;
    }

    std::optional<ui::ColorScheme> scheme()
    {
        if (!m_parser.isSet("color"))
            return std::nullopt;
        const QString text = m_parser.value("color");
        if (text == QLatin1String("light"))
            return ui::ColorScheme::Light;
        if (text == QLatin1String("dark"))
            return ui::ColorScheme::Dark;
        fail("color", text, tr("light or dark"));
        return std::nullopt;
    }

    QSize size()
    {
        if (!m_parser.isSet("size"))
            return {};
        const QString text = m_parser.value("size");
        const QStringList parts = text.split(QLatin1Char('x'));
        const QSize size = parts.size() == 2 ? QSize(parts[0].toInt(), parts[1].toInt()) : QSize();
        if (size.width() < 1 || size.height() < 1 || size.width() > maxPixels || size.height() > maxPixels)
            fail("size", text, tr("width and height, as 1440x900"));
        return size;
    }

    [[nodiscard]] const QString &error() const { return m_error; }

private:
    static constexpr int maxPixels = 16384;

    void fail(const char *name, const QString &found, const QString &expected)
    {
        if (m_error.isEmpty())
            m_error = tr("--%1: expected %2, found “%3”").arg(QLatin1String(name), expected, found);
    }

    const QCommandLineParser &m_parser;
    QString m_error;
};

CommandLine stop(int exitCode, const QString &output)
{
    return {.options = {}, .exitCode = exitCode, .output = output};
}

} // namespace

CommandLine parseCommandLine(const QStringList &arguments)
{
    QCommandLineParser parser;
    addOptions(parser);
    if (!parser.parse(arguments))
        return stop(2, parser.errorText());
    if (parser.isSet("help"))
        return stop(0, parser.helpText());
    if (parser.isSet("version"))
        return stop(0, QStringLiteral("bathyscope " BATHYSCOPE_VERSION "\n"));
    if (!parser.positionalArguments().isEmpty())
        return stop(
            2, tr("Unexpected argument “%1”; see --help").arg(parser.positionalArguments().constFirst()));

    Values values(parser);
    constexpr double most64 = 18446744073709551615.0;
    Options options;
    options.offscreen = parser.isSet("offscreen");
    options.prompts = parser.values("prompt");
    options.screenshot = parser.value("screenshot");
    options.model = parser.value("model");
    options.profile = parser.value("profile");
    options.readOnly = parser.isSet("read-only");
    options.scheme = values.scheme();
    options.size = values.size();
    options.device = parser.value("device");
    options.contextLength = values.number<int>("context", 0, limits::maxContext);
    options.threads = values.number<int>("threads", 0, 1024);
    options.seed = values.number<std::uint64_t>("seed", 0, most64);
    options.temperature = values.number<float>("temperature", 0, 100);
    options.selectToken = values.number<int>("select-token", 0, 1e9);
    options.page = values.number<int>("page", 1, 9).value_or(1) - 1;
    options.quitAfterAnswer = parser.isSet("quit-after-answer") || options.offscreen;
    if (!values.error().isEmpty())
        return stop(2, values.error());
    if (options.offscreen && !options.prompts.isEmpty() && !options.temperature)
        options.temperature = 0.0F;
    return {.options = options, .exitCode = {}, .output = {}};
}

} // namespace bathyscope::app

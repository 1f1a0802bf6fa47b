// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/message_text.h"

#include <QLocale>
#include <QStringList>

#include <cmath>

namespace bathyscope::ui::messagetext {

namespace {

/// The window's language is English, and so are its numbers.
QString number(qint64 value)
{
    return QLocale(QLocale::English).toString(value);
}

QString counted(std::size_t tokens)
{
    return number(static_cast<qint64>(tokens))
        + (tokens == 1 ? QStringLiteral(" token") : QStringLiteral(" tokens"));
}

double perplexity(const ChatMessage &message)
{
    double sum = 0;
    for (const TokenRecord &token : message.tokens)
        sum += static_cast<double>(token.logProb);
    return std::exp(-sum / static_cast<double>(message.tokens.size()));
}

} // namespace

QString reasoningCaption(const ChatMessage &message)
{
    return QStringLiteral("%1 s · %2")
        .arg(message.reasoningSeconds(), 0, 'f', message.reasoningSeconds() < 9.995 ? 2 : 1)
        .arg(counted(message.reasoning.tokens.size()));
}

QString progress(const ChatMessage &message)
{
    if (message.state != MessageState::Waiting)
        return {};
    if (!message.prefill)
        return QStringLiteral("Reading the prompt");
    return QStringLiteral("Reading the prompt  %1 / %2")
        .arg(number(message.prefill->done), number(message.prefill->total));
}

QString status(const ChatMessage &message)
{
    if (message.tokens.empty() && message.state != MessageState::Stopped)
        return {};
    QStringList parts;
    if (message.isRunning())
        return counted(message.tokens.size());
    if (message.state == MessageState::Stopped)
        parts << QStringLiteral("stopped");
    if (message.summary && message.summary->decodeSeconds > 0) {
        const double speed = message.summary->generatedTokens / message.summary->decodeSeconds;
        parts << (speed < 10 ? QString::number(speed, 'f', 1) : number(std::llround(speed)))
                + QStringLiteral(" tokens/s");
    }
    if (!message.tokens.empty())
        parts << QStringLiteral("perplexity ") + QString::number(perplexity(message), 'f', 2);
    return parts.join(QStringLiteral(" · "));
}

QString note(const ChatMessage &message)
{
    if (message.state == MessageState::Interrupted)
        return QStringLiteral("interrupted: the program ended while this was written");
    if (message.state == MessageState::Failed) {
        const QString reason = message.error.isEmpty() ? QStringLiteral("The reply failed.") : message.error;
        return reason + QStringLiteral("\nRegenerate tries again.");
    }
    return {};
}

QString source(const ChatMessage &message)
{
    const std::string &utf8 = message.role == Role::Assistant ? message.answer.utf8 : message.text;
    return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}

} // namespace bathyscope::ui::messagetext

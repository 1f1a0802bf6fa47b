// SPDX-License-Identifier: GPL-3.0-or-later
//
// How long the chat keeps the interface thread busy: a conversation of 100,000 tokens streams and scrolls.
#include "ui/chat/chat_view.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QImage>
#include <QScrollBar>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

using namespace bathyscope;
using namespace bathyscope::ui;

namespace {

constexpr int allTokens = 100'000;
constexpr int batch = 32; ///< tokens in 16 ms at 2,000 tokens/s
constexpr double limit = 50; ///< ms

class Stalls {
public:
    /// Runs one turn of the event loop's work, painting included.
    void measure(ChatView &view, QImage &canvas, const std::function<void()> &work)
    {
        QElapsedTimer clock;
        clock.start();
        const std::clock_t before = std::clock();
        work();
        QCoreApplication::processEvents();
        view.viewport()->render(&canvas);
        m_times.push_back(static_cast<double>(std::clock() - before) * 1e3 / CLOCKS_PER_SEC);
        m_longest = std::max(m_longest, static_cast<double>(clock.nsecsElapsed()) / 1e6);
    }

    bool report(const char *name)
    {
        std::sort(m_times.begin(), m_times.end());
        const double worst = m_times.back();
        const double percentile = m_times[m_times.size() * 99 / 100];
        std::printf("%-34s %6zu turns  worst %7.2f ms  99%% %7.2f ms  limit %.0f ms  %s\n", name,
                    m_times.size(), worst, percentile, limit, worst <= limit ? "ok" : "TOO SLOW");
        m_times.clear();
        return worst <= limit;
    }

private:
    std::vector<double> m_times; ///< ms of processor time, which other programs do not lengthen
    double m_longest = 0; ///< ms by the wall clock
};

/// About four bytes a token, with everything that Markdown has.
std::string piece(int index, bool oneParagraph)
{
    static const std::string text =
        "Let us see: the **sum** of 17 and 25 is 42, as `f(17, 25)` says.\n- first item of a list\n"
        "- second item, *longer*\n\n> A quote of two\n> lines\n\nAnother paragraph with some "
        "words in it, so that it wraps at least once in a column of this width.\n\n"
        "```python\ndef f(a, b):\n    return a + b\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n";
    static const std::string plain = "words that never end and never break ";
    const std::string &source = oneParagraph ? plain : text;
    const auto begin = static_cast<std::size_t>(index) * 4 % source.size();
    return source.substr(begin, 4);
}

std::vector<TokenRecord> tokens(int first, int count, bool oneParagraph = false)
{
    std::vector<TokenRecord> records(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
        records[static_cast<std::size_t>(i)].bytes = piece(first + i, oneParagraph);
    return records;
}

ChatMessage reply(MessageId id)
{
    ChatMessage message;
    message.id = id;
    message.role = bathyscope::Role::Assistant;
    message.state = MessageState::Waiting;
    return message;
}

bool scrollThrough(ChatView &view, QImage &canvas, const char *name)
{
    Stalls stalls;
    QScrollBar *bar = view.verticalScrollBar();
    for (int step = 0; step < 400 && bar->value() > 0; ++step)
        stalls.measure(view, canvas, [&] { bar->setValue(bar->value() - 150); });
    for (int step = 0; step <= 200; ++step)
        stalls.measure(view, canvas, [&] {
            bar->setValue(static_cast<int>(static_cast<qint64>(bar->maximum()) * step / 200));
        });
    for (int step = 0; step < 20; ++step)
        stalls.measure(view, canvas, [&] { view.resize(900 - step % 2 * 200, 900); });
    return stalls.report(name);
}

bool longReply(bool oneParagraph)
{
    ChatModel model;
    Selection selection;
    ChatView view(&model, &selection);
    view.resize(900, 900);
    view.show();
    QImage canvas(900, 900, QImage::Format_ARGB32_Premultiplied);
    model.appendMessage(reply(1));
    Stalls stalls;
    for (int first = 0; first < allTokens; first += batch)
        stalls.measure(view, canvas, [&] { model.appendTokens(1, tokens(first, batch, oneParagraph)); });
    const bool streamed = stalls.report(oneParagraph ? "one paragraph, streaming" : "one reply, streaming");
    stalls.measure(view, canvas, [&] { model.finish(1, MessageState::Complete, {}); });
    for (int i = 0; i < 50; ++i)
        stalls.measure(view, canvas, [&] { selection.setToken(TokenPosition{1, i * (allTokens / 50)}); });
    const bool selected = stalls.report(oneParagraph ? "one paragraph, selecting" : "one reply, selecting");
    view.scrollToEnd();
    return scrollThrough(view, canvas, oneParagraph ? "one paragraph, scrolling" : "one reply, scrolling")
        && streamed && selected;
}

bool manyMessages()
{
    constexpr int pairs = 250;
    std::vector<ChatMessage> messages;
    for (int i = 0; i < pairs; ++i) {
        ChatMessage question;
        question.id = 2 * i;
        question.text = "What is the sum of 17 and 25?";
        messages.push_back(std::move(question));
        ChatMessage answer = reply(2 * i + 1);
        answer.state = MessageState::Complete;
        for (TokenRecord &token : tokens(i * 31, allTokens / pairs))
            answer.append(std::move(token));
        messages.push_back(std::move(answer));
    }
    ChatModel model;
    Selection selection;
    ChatView view(&model, &selection);
    view.resize(900, 900);
    view.show();
    QImage canvas(900, 900, QImage::Format_ARGB32_Premultiplied);
    Stalls stalls;
    stalls.measure(view, canvas, [&] { model.setMessages(std::move(messages)); });
    bool good = stalls.report("500 messages, opening");
    good = scrollThrough(view, canvas, "500 messages, scrolling") && good;
    view.scrollToEnd();
    model.appendMessage(reply(1'000'000));
    for (int first = 0; first < 6400; first += batch)
        stalls.measure(view, canvas, [&] { model.appendTokens(1'000'000, tokens(first, batch)); });
    return stalls.report("500 messages, streaming") && good;
}

} // namespace

int main(int argc, char **argv)
{
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    theme::apply(application, ColorScheme::Light);
    bool good = longReply(false);
    good = longReply(true) && good;
    good = manyMessages() && good;
    return good ? 0 : 1;
}

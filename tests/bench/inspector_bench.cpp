// SPDX-License-Identifier: GPL-3.0-or-later
//
// Walking through a reply of a 61-layer, 256-expert model by arrow keys while chat and inspector follow, and
// what an inspector that is closed costs while a reply streams. Processor time, painting included.
#include "tests/ui/inspector/fake_reply.h"
#include "ui/chat/chat_view.h"
#include "ui/inspector/inspector.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QKeyEvent>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

using namespace bathyscope::ui;

namespace {

const test::FakeShape shape{.layers = 61, .denseLayers = 3, .experts = 256, .expertsPerToken = 8};

/// Chat and inspector side by side, as in the window.
struct Stage {
    explicit Stage(bool withInspector)
    {
        auto *layout = new QHBoxLayout(&window);
        layout->addWidget(view = new ChatView(&chat, &selection));
        if (withInspector) {
            layout->addWidget(inspector = new Inspector(&chat, &selection));
            inspector->setModel(test::fakeModel(shape));
            inspector->setFixedWidth(468);
        }
        window.resize(1200, 900);
    }

    ChatModel chat;
    Selection selection;
    QWidget window;
    ChatView *view = nullptr;
    Inspector *inspector = nullptr;
};

double processorMilliseconds()
{
    return static_cast<double>(std::clock()) * 1e3 / CLOCKS_PER_SEC;
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

bool walk(int page)
{
    constexpr double limit = 8; // ms a step
    constexpr int tokens = 1000;
    Stage stage(true);
    ChatMessage reply = test::fakeReply(1, tokens, shape);
    reply.state = MessageState::Complete;
    stage.chat.appendMessage(std::move(reply));
    stage.inspector->setCurrentPage(page);
    stage.window.show();
    stage.selection.setToken(TokenPosition{1, 0});
    QApplication::processEvents();
    std::vector<double> times;
    for (int step = 0; step < 300; ++step) {
        const double before = processorMilliseconds();
        QKeyEvent press(QEvent::KeyPress, Qt::Key_Right, Qt::NoModifier);
        QApplication::sendEvent(stage.view, &press);
        QApplication::processEvents(); // paints
        times.push_back(processorMilliseconds() - before);
    }
    if (stage.selection.token()->token != 300)
        return false;
    std::sort(times.begin(), times.end());
    const double nearlyAll = times[times.size() * 99 / 100];
    std::printf("one step, page %-7s median %5.2f ms, 99 %% %5.2f ms (limit %.0f ms)\n",
                qPrintable(stage.inspector->pageTitles()[page]), times[times.size() / 2], nearlyAll, limit);
    return nearlyAll < limit;
}

double stream(bool withInspector)
{
    constexpr int batches = 200;
    constexpr int tokensPerFrame = 16;
    Stage stage(withInspector);
    if (withInspector)
        stage.inspector->hide();
    stage.window.show();
    stage.chat.appendMessage(test::fakeReply(1, 0));
    const std::vector<bathyscope::TokenRecord> batch = test::fakeTokens(tokensPerFrame, shape);
    QApplication::processEvents();
    const double before = processorMilliseconds();
    for (int i = 0; i < batches; ++i) {
        stage.chat.appendTokens(1, batch);
        QApplication::processEvents();
    }
    return processorMilliseconds() - before;
}

/// In pairs, so that a change of the machine's speed meets both.
bool closedInspectorIsFree()
{
    constexpr double limit = 1.02;
    std::vector<double> ratios;
    stream(true); // warm-up
    for (int run = 0; run < 15; ++run) {
        const double without = stream(false);
        ratios.push_back(stream(true) / without);
    }
    const double ratio = median(ratios);
    std::printf("streaming with a closed inspector over without one: %.3f (limit %.2f)\n", ratio, limit);
    return ratio < limit;
}

} // namespace

int main(int argc, char **argv)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    theme::apply(application, ColorScheme::Light);
    bool good = true;
    for (const int page : {0, 1, 2})
        good = walk(page) && good;
    return closedInspectorIsFree() && good ? 0 : 1;
}

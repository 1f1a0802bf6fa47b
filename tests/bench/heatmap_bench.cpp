// SPDX-License-Identifier: GPL-3.0-or-later
//
// Time to take up a frame's worth of tokens of a 61-layer, 256-expert model and paint its heatmap.
// The limit is 4 ms a frame at 1,000 tokens/s (16 tokens a frame).
#include "tests/ui/inspector/fake_reply.h"
#include "ui/inspector/routing_heatmap.h"
#include "ui/inspector/routing_view.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QImage>

#include <algorithm>
#include <cstdio>
#include <vector>

using namespace bathyscope::ui;

namespace {

struct Times {
    double median = 0; ///< ms a frame
    double high = 0; ///< of 99 in 100 frames
};

/// A reply grows by `batch` every frame, and the map is painted at twice its size.
Times measure(const std::shared_ptr<const bathyscope::ModelInfo> &model, const HeatMode &mode,
              HeatControls::Order order, const std::vector<bathyscope::TokenRecord> &batch)
{
    constexpr int frames = 200;
    Selection selection;
    RoutingView view(&selection, RoutingView::Extent::Full);
    view.setModel(model.get());
    view.controls()->setMode(mode);
    view.controls()->setOrder(order);
    view.resize(436, view.sizeHint().height());
    QImage target(2 * view.size(), QImage::Format_RGB32);
    target.setDevicePixelRatio(2);
    ChatMessage message;
    const auto routing = std::make_shared<ReplyRouting>();
    std::vector<double> times;
    for (int frame = 0; frame < frames; ++frame) {
        for (bathyscope::TokenRecord token : batch) {
            token.section = frame < frames / 2 ? bathyscope::Section::Reasoning : bathyscope::Section::Answer;
            message.append(std::move(token));
        }
        QElapsedTimer timer;
        timer.start();
        routing->follow(message, model);
        view.setData(message.tokens.back(), routing);
        view.heatmap()->render(&target);
        times.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
    }
    std::sort(times.begin(), times.end());
    return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

} // namespace

int main(int argc, char **argv)
{
    constexpr double limit = 4; // ms
    constexpr int tokensPerFrame = 16;
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    theme::apply(application, ColorScheme::Light);
    const test::FakeShape shape{.layers = 61, .denseLayers = 3, .experts = 256, .expertsPerToken = 8};
    const auto model = std::make_shared<const bathyscope::ModelInfo>(test::fakeModel(shape));
    using Show = HeatMode::Show;
    const std::pair<const char *, HeatMode> modes[] = {
        {"this token", {.show = Show::Token}},
        {"whole reply", {.show = Show::Reply}},
        {"whole reply, logarithm", {.show = Show::Reply, .scale = HeatMode::Scale::Logarithmic}},
        {"against uniform, log.",
         {.show = Show::Reply, .scale = HeatMode::Scale::Logarithmic, .share = HeatMode::Share::OverUniform}},
        {"reasoning minus answer", {.show = Show::Sections}}};
    bool good = true;
    for (const HeatControls::Order order : {HeatControls::Order::Number, HeatControls::Order::Load}) {
        for (const auto &[name, mode] : modes) {
            const Times times = measure(model, mode, order, test::fakeTokens(tokensPerFrame, shape));
            good = good && times.median < limit;
            std::printf("heatmap 61 x 256, %-22s by %s: median %.2f ms, 99 %% %.2f ms (limit %.0f ms)\n",
                        name, order == HeatControls::Order::Number ? "number" : "load", times.median,
                        times.high, limit);
        }
    }
    return good ? 0 : 1;
}

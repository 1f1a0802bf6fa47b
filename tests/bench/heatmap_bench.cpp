// SPDX-License-Identifier: GPL-3.0-or-later
//
// Time to take up a frame's worth of tokens of a 61-layer, 256-expert model and paint its heatmap.
// The limit is 4 ms a frame at 1,000 tokens/s (16 tokens a frame).
#include "tests/ui/inspector/fake_reply.h"
#include "ui/inspector/routing_aggregate.h"
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

int main(int argc, char **argv)
{
    constexpr double limit = 4; // ms
    constexpr int frames = 200;
    constexpr int tokensPerFrame = 16;
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    theme::apply(application, ColorScheme::Light);
    const test::FakeShape shape{.layers = 61, .denseLayers = 3, .experts = 256, .expertsPerToken = 8};
    const bathyscope::ModelInfo model = test::fakeModel(shape);
    const std::vector<bathyscope::TokenRecord> tokens = test::fakeTokens(tokensPerFrame, shape);
    bool good = true;
    for (const RoutingView::Mode mode : {RoutingView::Mode::Token, RoutingView::Mode::Answer}) {
        RoutingView view;
        view.setModel(&model);
        view.setMode(mode);
        view.resize(436, view.sizeHint().height());
        QImage target(2 * view.size(), QImage::Format_RGB32);
        target.setDevicePixelRatio(2);
        RoutingAggregate aggregate(58, 256, 8);
        std::vector<double> times;
        for (int frame = 0; frame < frames; ++frame) {
            QElapsedTimer timer;
            timer.start();
            for (const bathyscope::TokenRecord &token : tokens)
                aggregate.add(token);
            view.setData(tokens.back(), aggregate);
            view.heatmap()->render(&target);
            times.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
        }
        std::sort(times.begin(), times.end());
        const double median = times[times.size() / 2];
        const double high = times[times.size() * 99 / 100];
        good = good && median < limit;
        std::printf("heatmap 61 x 256, %-12s median %.2f ms, 99 %% %.2f ms (limit %.0f ms)\n",
                    mode == RoutingView::Mode::Token ? "this token" : "whole answer", median, high, limit);
    }
    return good ? 0 : 1;
}

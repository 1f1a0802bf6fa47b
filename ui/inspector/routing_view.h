// SPDX-License-Identifier: GPL-3.0-or-later
//
// The heatmap with its heading, its switch between one token and the whole answer, the line that names a
// cell, and the scale.
#pragma once

#include "engine/records.h"

#include <QWidget>

class QLabel;
class QToolButton;

namespace bathyscope::ui {

class HeatLegend;
class RoutingAggregate;
class RoutingHeatmap;

class RoutingView : public QWidget {
    Q_OBJECT

public:
    enum class Mode { Token, Answer };

    explicit RoutingView(QWidget *parent = nullptr);

    /// Shape of the map; a model without experts shows a sentence instead.
    void setModel(const ModelInfo *model);
    /// `record` is the token shown, `answer` counts its whole reply. Copies what it needs.
    void setData(const TokenRecord &record, const RoutingAggregate &answer);

    [[nodiscard]] Mode mode() const { return m_mode; }
    void setMode(Mode mode);
    [[nodiscard]] RoutingHeatmap *heatmap() const { return m_map; }
    /// The line under the map.
    [[nodiscard]] QString readout() const;

private:
    QToolButton *segment(const QString &text, const char *place, Mode mode, const QString &key);
    void updateMap();
    void updateReadout();
    [[nodiscard]] float weightOf(int row, int expert) const;
    [[nodiscard]] QString cellText() const;

    ModelInfo m_model;
    TokenRecord m_record;
    std::shared_ptr<const RoutingAggregate> m_answer;
    Mode m_mode = Mode::Token;
    QLabel *m_sentence;
    QWidget *m_body;
    QToolButton *m_tokenButton;
    QToolButton *m_answerButton;
    RoutingHeatmap *m_map;
    QLabel *m_readout;
    HeatLegend *m_legend;
};

} // namespace bathyscope::ui

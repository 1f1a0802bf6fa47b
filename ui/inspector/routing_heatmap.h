// SPDX-License-Identifier: GPL-3.0-or-later
//
// Layers × experts as one image. It knows nothing of tokens: RoutingView gives it values and reads its cell.
#pragma once

#include "ui/inspector/expert_order.h"

#include <QImage>
#include <QWidget>

#include <array>
#include <optional>
#include <vector>

namespace bathyscope::ui {

class RoutingHeatmap : public QWidget {
    Q_OBJECT

public:
    /// A cell of a MoE layer; `layer` is the layer of the model, dense ones counted.
    struct Cell {
        int layer = 0;
        int expert = 0;

        bool operator==(const Cell &) const = default;
    };

    explicit RoutingHeatmap(QWidget *parent = nullptr);

    /// `layers` of the model, of which `moeLayers` (ascending) have `experts` experts; the others are dense.
    /// Clears the values.
    void setShape(int layers, const std::vector<int> &moeLayers, int experts);
    /// `places` [moeLayers, experts], row by row, on a scale (HeatScale::place()).
    void setPlaces(std::vector<float> places, bool diverging);
    /// [moeLayers, experts]; empty: by number.
    void setOrder(ExpertOrder order);

    /// The cell under the pointer, else the selected one.
    [[nodiscard]] std::optional<Cell> cell() const { return m_hover ? m_hover : m_selected; }
    [[nodiscard]] const std::optional<Cell> &hovered() const { return m_hover; }
    void setSelectedCell(std::optional<Cell> cell);
    void setSelectedLayer(std::optional<int> layer);
    [[nodiscard]] QRect cellRect(const Cell &cell) const;
    [[nodiscard]] std::optional<Cell> cellAt(const QPoint &point) const;

    /// Colour of a place above 0 on a scale that begins with nothing, 0…1.
    static QColor colorOf(double place);

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {200, sizeHint().height()}; }

signals:
    /// The user chose a cell, by click or key.
    void cellPicked(const bathyscope::ui::RoutingHeatmap::Cell &cell);
    /// The user chose a layer, by its label.
    void layerPicked(int layer);
    /// Another cell, or none, is under the pointer.
    void hoverChanged();

protected:
    bool event(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void leaveEvent(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void changeEvent(QEvent *event) override;

private:
    static constexpr int labelWidth = 28;
    static constexpr int colorSteps = 256;

    void updateColors();
    void drawImage(const QSize &deviceSize, double ratio);
    void drawRow(QRgb *line, int row, const std::vector<int> &edges, int gap) const;
    void drawMarks(QPainter &painter);
    void drawDense(QPainter &painter);
    void drawLabels(QPainter &painter);
    void setHover(std::optional<Cell> cell);
    [[nodiscard]] QRgb colorAt(float place) const;
    [[nodiscard]] int expertAt(int row, int column) const;
    [[nodiscard]] int columnOf(int row, int expert) const;
    [[nodiscard]] std::optional<int> layerAt(const QPoint &point) const;
    [[nodiscard]] int rowHeight() const;
    [[nodiscard]] int mapWidth() const { return qMax(1, width() - labelWidth); }
    [[nodiscard]] std::optional<Cell> moved(int key, int step) const;

    int m_layers = 0;
    int m_experts = 0;
    std::vector<int> m_moeRow; ///< [layers] row of the values; -1: dense
    std::vector<int> m_moeLayers;
    std::vector<float> m_places;
    bool m_diverging = false;
    ExpertOrder m_order; ///< [moeLayers, experts]: the expert of each column; empty: by number
    ExpertOrder m_columns; ///< [moeLayers, experts]: the column of each expert
    std::array<QRgb, colorSteps + 1> m_colors{}; ///< 0: nothing; then the scale
    std::array<QRgb, colorSteps + 1> m_differences{}; ///< of a scale that goes both ways, -1 to 1
    QRgb m_gapColor = 0;
    QImage m_image;
    bool m_imageIsStale = true;
    std::optional<Cell> m_hover;
    std::optional<Cell> m_selected;
    std::optional<int> m_selectedLayer;
};

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Layers × experts as one image. It knows nothing of tokens: RoutingView gives it values and reads its cell.
#pragma once

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
    /// `values` [moeLayers, experts], row by row; 0 is drawn as ground, `maximum` as the end of the scale.
    void setValues(std::vector<float> values, float maximum);

    /// The cell under the pointer, else the cell of the keyboard's cursor.
    [[nodiscard]] std::optional<Cell> cell() const { return m_hover ? m_hover : m_cursor; }
    void setCursorCell(std::optional<Cell> cell);
    [[nodiscard]] QRect cellRect(const Cell &cell) const;
    [[nodiscard]] std::optional<Cell> cellAt(const QPoint &point) const;

    /// Colour of a value above 0; what setValues() and the legend use. `t` is value / maximum.
    static QColor colorOf(double t);

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {200, sizeHint().height()}; }

signals:
    void cellChanged();

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
    void drawRow(QRgb *line, const float *values, const std::vector<int> &edges, int gap) const;
    void drawDense(QPainter &painter);
    void drawLabels(QPainter &painter);
    void setHover(std::optional<Cell> cell);
    [[nodiscard]] int rowHeight() const;
    [[nodiscard]] int mapWidth() const { return qMax(1, width() - labelWidth); }
    [[nodiscard]] std::optional<Cell> moved(int key, int step) const;

    int m_layers = 0;
    int m_experts = 0;
    std::vector<int> m_moeRow; ///< [layers] row of the values; -1: dense
    std::vector<int> m_moeLayers;
    std::vector<float> m_values;
    float m_maximum = 1;
    std::array<QRgb, colorSteps + 1> m_colors{}; ///< 0: nothing; then the scale
    QRgb m_gapColor = 0;
    QImage m_image;
    bool m_imageIsStale = true;
    std::optional<Cell> m_hover;
    std::optional<Cell> m_cursor;
};

} // namespace bathyscope::ui

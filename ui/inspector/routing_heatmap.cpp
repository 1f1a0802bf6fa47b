// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/routing_heatmap.h"

#include "ui/theme/theme.h"

#include <QKeyEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace bathyscope::ui {

RoutingHeatmap::RoutingHeatmap(QWidget *parent)
    : QWidget(parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Routing, layers by experts"));
    setAccessibleDescription(
        tr("Arrow keys move from cell to cell; the line below names what is under them"));
    updateColors();
}

QColor RoutingHeatmap::colorOf(double t)
{
    // The scale begins above the ground, so that an expert with a small weight is told from one without.
    return theme::heat(0.16 + 0.84 * t);
}

void RoutingHeatmap::updateColors()
{
    m_colors[0] = theme::heat(0).rgb();
    for (int i = 1; i <= colorSteps; ++i)
        m_colors[static_cast<std::size_t>(i)] = colorOf((i - 1.0) / (colorSteps - 1)).rgb();
    m_gapColor = theme::colors().panel.rgb();
    m_imageIsStale = true;
}

void RoutingHeatmap::setShape(int layers, const std::vector<int> &moeLayers, int experts)
{
    m_layers = std::max(0, layers);
    m_experts = std::max(0, experts);
    m_moeLayers.clear();
    m_moeRow.assign(static_cast<std::size_t>(m_layers), -1);
    for (const int layer : moeLayers) {
        if (layer < 0 || layer >= m_layers)
            continue;
        m_moeRow[static_cast<std::size_t>(layer)] = static_cast<int>(m_moeLayers.size());
        m_moeLayers.push_back(layer);
    }
    m_values.assign(m_moeLayers.size() * static_cast<std::size_t>(m_experts), 0);
    m_hover.reset();
    m_cursor.reset();
    m_imageIsStale = true;
    updateGeometry();
    update();
}

void RoutingHeatmap::setValues(std::vector<float> values, float maximum)
{
    if (values.size() != m_values.size())
        return;
    m_values = std::move(values);
    m_maximum = maximum > 0 ? maximum : 1;
    m_imageIsStale = true;
    update();
}

int RoutingHeatmap::rowHeight() const
{
    return m_layers <= 12 ? 17 : m_layers <= 28 ? 10 : 6;
}

QSize RoutingHeatmap::sizeHint() const
{
    return {436, std::max(1, m_layers) * rowHeight()};
}

QRect RoutingHeatmap::cellRect(const Cell &cell) const
{
    const auto edge = [this](int expert) {
        return labelWidth + expert * mapWidth() / std::max(1, m_experts);
    };
    const int left = edge(cell.expert);
    return {left, cell.layer * rowHeight(), std::max(1, edge(cell.expert + 1) - left), rowHeight()};
}

std::optional<RoutingHeatmap::Cell> RoutingHeatmap::cellAt(const QPoint &point) const
{
    const int layer = point.y() / rowHeight();
    const int x = point.x() - labelWidth;
    if (point.y() < 0 || layer >= m_layers || x < 0 || x >= mapWidth() || m_experts == 0
        || m_moeRow[static_cast<std::size_t>(layer)] < 0)
        return {};
    // The inverse of the edges in cellRect(), which are rounded down.
    return Cell{layer, ((x + 1) * m_experts - 1) / mapWidth()};
}

void RoutingHeatmap::drawRow(QRgb *line, const float *values, const std::vector<int> &edges, int gap) const
{
    for (int expert = 0; expert < m_experts; ++expert) {
        const auto at = static_cast<std::size_t>(expert);
        const float t = std::clamp(values[expert] / m_maximum, 0.0F, 1.0F);
        const auto step = values[expert] > 0 ? 1 + static_cast<std::size_t>(t * (colorSteps - 1)) : 0;
        const int end = edges[at + 1] - gap;
        std::fill(line + edges[at], line + std::max(edges[at], end), m_colors[step]);
        std::fill(line + std::max(edges[at], end), line + edges[at + 1], m_gapColor);
    }
}

void RoutingHeatmap::drawImage(const QSize &deviceSize, double ratio)
{
    if (m_image.size() != deviceSize)
        m_image = QImage(deviceSize, QImage::Format_RGB32);
    m_image.fill(m_gapColor);
    std::vector<int> edges;
    for (int expert = 0; expert <= m_experts; ++expert)
        edges.push_back(
            static_cast<int>(std::lround(ratio * (expert * mapWidth() / std::max(1, m_experts)))));
    edges.back() = deviceSize.width();
    const int pixel = std::max(1, static_cast<int>(ratio));
    const int gap = mapWidth() >= 5 * m_experts ? pixel : 0;
    for (int layer = 0; layer < m_layers; ++layer) {
        const int row = m_moeRow[static_cast<std::size_t>(layer)];
        const int top = static_cast<int>(std::lround(ratio * layer * rowHeight()));
        const int bottom = std::min(deviceSize.height(),
                                    static_cast<int>(std::lround(ratio * (layer + 1) * rowHeight())) - pixel);
        if (row < 0 || top >= bottom)
            continue;
        auto *line = reinterpret_cast<QRgb *>(m_image.scanLine(top));
        drawRow(line, m_values.data() + static_cast<std::ptrdiff_t>(row) * m_experts, edges, gap);
        for (int y = top + 1; y < bottom; ++y)
            std::memcpy(m_image.scanLine(y), line,
                        static_cast<std::size_t>(deviceSize.width()) * sizeof(QRgb));
    }
    m_imageIsStale = false;
}

void RoutingHeatmap::drawDense(QPainter &painter)
{
    const Colors &colors = theme::colors();
    for (int layer = 0; layer < m_layers; ++layer) {
        if (m_moeRow[static_cast<std::size_t>(layer)] >= 0)
            continue;
        const QRect row(labelWidth, layer * rowHeight(), mapWidth(), rowHeight() - 1);
        painter.fillRect(row, theme::heat(0));
        painter.fillRect(row, QBrush(colors.line, Qt::BDiagPattern));
        if (rowHeight() < 15)
            continue;
        const QString text = tr("dense");
        const int width = painter.fontMetrics().horizontalAdvance(text) + 12;
        painter.fillRect(QRect(row.center().x() - width / 2, row.top(), width, row.height()), colors.panel);
        painter.setPen(colors.secondary);
        painter.drawText(row, Qt::AlignCenter, text);
    }
}

void RoutingHeatmap::drawLabels(QPainter &painter)
{
    const int step = rowHeight() >= 12 ? 1 : rowHeight() >= 8 ? 4 : 10;
    painter.setPen(theme::colors().secondary);
    for (int layer = 0; layer < m_layers; layer += step) {
        const int middle = layer * rowHeight() + rowHeight() / 2;
        painter.drawText(QRect(0, middle - 8, labelWidth - 6, 16), Qt::AlignLeft | Qt::AlignVCenter,
                         QStringLiteral("L%1").arg(layer));
    }
}

void RoutingHeatmap::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    const double ratio = devicePixelRatioF();
    const QSize deviceSize(static_cast<int>(std::lround(mapWidth() * ratio)),
                           static_cast<int>(std::lround(height() * ratio)));
    if (m_imageIsStale || m_image.size() != deviceSize)
        drawImage(deviceSize, ratio);
    painter.drawImage(QRectF(labelWidth, 0, mapWidth(), height()), m_image,
                      QRectF(QPointF(), QSizeF(deviceSize)));
    QFont font = theme::numberFont();
    font.setPixelSize(11);
    painter.setFont(font);
    drawDense(painter);
    drawLabels(painter);
    const Colors &colors = theme::colors();
    const auto outline = [&](const Cell &cell, const QColor &color) {
        painter.setPen(QPen(color, 1));
        painter.drawRect(QRectF(cellRect(cell)).adjusted(-1.5, -1.5, 0.5, 0.5));
    };
    if (m_cursor && hasFocus())
        outline(*m_cursor, colors.text);
    if (m_hover)
        outline(*m_hover, colors.secondary);
    if (hasFocus() && !m_cursor) {
        painter.setPen(colors.accent);
        painter.drawRect(QRect(labelWidth, 0, mapWidth() - 1, height() - 1));
    }
}

void RoutingHeatmap::setHover(std::optional<Cell> cell)
{
    if (cell == m_hover)
        return;
    m_hover = cell;
    update();
    emit cellChanged();
}

void RoutingHeatmap::setCursorCell(std::optional<Cell> cell)
{
    if (cell == m_cursor)
        return;
    m_cursor = cell;
    update();
    emit cellChanged();
}

void RoutingHeatmap::mouseMoveEvent(QMouseEvent *event)
{
    setHover(cellAt(event->position().toPoint()));
}

void RoutingHeatmap::mousePressEvent(QMouseEvent *event)
{
    setCursorCell(cellAt(event->position().toPoint()));
}

void RoutingHeatmap::leaveEvent(QEvent *)
{
    setHover({});
}

std::optional<RoutingHeatmap::Cell> RoutingHeatmap::moved(int key, int step) const
{
    if (m_moeLayers.empty() || m_experts == 0)
        return {};
    if (!m_cursor)
        return Cell{m_moeLayers.front(), 0};
    const int rows = static_cast<int>(m_moeLayers.size());
    int row = m_moeRow[static_cast<std::size_t>(m_cursor->layer)];
    int expert = m_cursor->expert;
    if (key == Qt::Key_Up || key == Qt::Key_Down)
        row = std::clamp(row + step, 0, rows - 1);
    else
        expert = std::clamp(expert + step, 0, m_experts - 1);
    return Cell{m_moeLayers[static_cast<std::size_t>(row)], expert};
}

namespace {

bool movesCell(const QKeyEvent &event)
{
    const bool arrow = event.key() == Qt::Key_Left || event.key() == Qt::Key_Right
        || event.key() == Qt::Key_Up || event.key() == Qt::Key_Down;
    return arrow && (event.modifiers() & ~Qt::KeypadModifier) == Qt::NoModifier;
}

} // namespace

bool RoutingHeatmap::event(QEvent *event)
{
    // Inside the map the arrows belong to its cursor, not to the shortcuts that walk from token to token.
    if (event->type() == QEvent::ShortcutOverride && movesCell(*static_cast<QKeyEvent *>(event))) {
        event->accept();
        return true;
    }
    return QWidget::event(event);
}

void RoutingHeatmap::keyPressEvent(QKeyEvent *event)
{
    if (!movesCell(*event)) {
        QWidget::keyPressEvent(event);
        return;
    }
    const bool back = event->key() == Qt::Key_Left || event->key() == Qt::Key_Up;
    m_hover.reset();
    setCursorCell(moved(event->key(), back ? -1 : 1));
}

void RoutingHeatmap::changeEvent(QEvent *event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::StyleChange || event->type() == QEvent::PaletteChange) {
        updateColors();
        update();
    }
}

} // namespace bathyscope::ui

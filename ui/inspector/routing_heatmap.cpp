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

QColor RoutingHeatmap::colorOf(double place)
{
    // The scale begins above the ground, so that an expert with a small weight is told from one without.
    return theme::heat(0.16 + 0.84 * place);
}

void RoutingHeatmap::updateColors()
{
    m_colors[0] = theme::heat(0).rgb();
    for (int i = 1; i <= colorSteps; ++i)
        m_colors[static_cast<std::size_t>(i)] = colorOf((i - 1.0) / (colorSteps - 1)).rgb();
    for (int i = 0; i <= colorSteps; ++i)
        m_differences[static_cast<std::size_t>(i)] = theme::difference(2.0 * i / colorSteps - 1).rgb();
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
    m_places.assign(m_moeLayers.size() * static_cast<std::size_t>(m_experts), 0);
    m_order.clear();
    m_columns.clear();
    m_hover.reset();
    m_selected.reset();
    m_selectedLayer.reset();
    m_imageIsStale = true;
    updateGeometry();
    update();
}

void RoutingHeatmap::setPlaces(std::vector<float> places, bool diverging)
{
    if (places.size() != m_places.size())
        places.assign(m_places.size(), 0);
    m_places = std::move(places);
    m_diverging = diverging;
    m_imageIsStale = true;
    update();
}

void RoutingHeatmap::setOrder(ExpertOrder order)
{
    if (order == m_order || (!order.empty() && order.size() != m_places.size()))
        return;
    m_order = std::move(order);
    m_columns.resize(m_order.size());
    const auto experts = static_cast<std::size_t>(m_experts);
    for (std::size_t i = 0; i < m_order.size(); ++i)
        m_columns[i / experts * experts + m_order[i]] = static_cast<std::uint16_t>(i % experts);
    m_imageIsStale = true;
    update();
}

int RoutingHeatmap::expertAt(int row, int column) const
{
    return m_order.empty() ? column : m_order[static_cast<std::size_t>(row * m_experts + column)];
}

int RoutingHeatmap::columnOf(int row, int expert) const
{
    return m_columns.empty() || row < 0 ? expert
                                        : m_columns[static_cast<std::size_t>(row * m_experts + expert)];
}

QRgb RoutingHeatmap::colorAt(float place) const
{
    if (m_diverging)
        return m_differences[static_cast<std::size_t>(std::lround((place + 1) / 2 * colorSteps))];
    return m_colors[place > 0 ? 1 + static_cast<std::size_t>(place * (colorSteps - 1)) : 0];
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
    const auto edge = [this](int column) {
        return labelWidth + column * mapWidth() / std::max(1, m_experts);
    };
    const int column = columnOf(m_moeRow[static_cast<std::size_t>(cell.layer)], cell.expert);
    const int left = edge(column);
    return {left, cell.layer * rowHeight(), std::max(1, edge(column + 1) - left), rowHeight()};
}

std::optional<int> RoutingHeatmap::layerAt(const QPoint &point) const
{
    const int layer = point.y() / rowHeight();
    if (point.y() < 0 || layer >= m_layers || m_experts == 0 || m_moeRow[static_cast<std::size_t>(layer)] < 0)
        return {};
    return layer;
}

std::optional<RoutingHeatmap::Cell> RoutingHeatmap::cellAt(const QPoint &point) const
{
    const std::optional<int> layer = layerAt(point);
    const int x = point.x() - labelWidth;
    if (!layer || x < 0 || x >= mapWidth())
        return {};
    // The inverse of the edges in cellRect(), which are rounded down.
    const int column = ((x + 1) * m_experts - 1) / mapWidth();
    return Cell{*layer, expertAt(m_moeRow[static_cast<std::size_t>(*layer)], column)};
}

void RoutingHeatmap::drawRow(QRgb *line, int row, const std::vector<int> &edges, int gap) const
{
    const float *places = m_places.data() + static_cast<std::ptrdiff_t>(row) * m_experts;
    for (int column = 0; column < m_experts; ++column) {
        const auto at = static_cast<std::size_t>(column);
        const int end = std::max(edges[at], edges[at + 1] - gap);
        std::fill(line + edges[at], line + end, colorAt(places[expertAt(row, column)]));
        std::fill(line + end, line + edges[at + 1], m_gapColor);
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
        drawRow(line, row, edges, gap);
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
    drawMarks(painter);
}

void RoutingHeatmap::drawMarks(QPainter &painter)
{
    const Colors &colors = theme::colors();
    const auto outline = [&](const QRect &rect, const QColor &color, int width) {
        painter.setPen(QPen(color, width));
        painter.drawRect(QRectF(rect).adjusted(-1.5, -1.5, 0.5, 0.5));
    };
    painter.setBrush(Qt::NoBrush);
    if (m_selected)
        outline(cellRect(*m_selected), colors.selectionOutline, 2);
    else if (m_selectedLayer)
        outline(QRect(labelWidth, *m_selectedLayer * rowHeight(), mapWidth(), rowHeight()),
                colors.selectionOutline, 1);
    if (m_hover)
        outline(cellRect(*m_hover), colors.secondary, 1);
    if (hasFocus()) {
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
    emit hoverChanged();
}

void RoutingHeatmap::setSelectedCell(std::optional<Cell> cell)
{
    if (cell
        && (cell->layer < 0 || cell->layer >= m_layers || cell->expert < 0 || cell->expert >= m_experts
            || m_moeRow[static_cast<std::size_t>(cell->layer)] < 0))
        cell.reset();
    m_selected = cell;
    update();
}

void RoutingHeatmap::setSelectedLayer(std::optional<int> layer)
{
    m_selectedLayer = layer && *layer >= 0 && *layer < m_layers ? layer : std::nullopt;
    update();
}

void RoutingHeatmap::mouseMoveEvent(QMouseEvent *event)
{
    setHover(cellAt(event->position().toPoint()));
}

void RoutingHeatmap::mousePressEvent(QMouseEvent *event)
{
    const QPoint point = event->position().toPoint();
    if (const auto cell = cellAt(point))
        emit cellPicked(*cell);
    else if (const auto layer = layerAt(point); layer && point.x() < labelWidth)
        emit layerPicked(*layer);
}

void RoutingHeatmap::leaveEvent(QEvent *)
{
    setHover({});
}

std::optional<RoutingHeatmap::Cell> RoutingHeatmap::moved(int key, int step) const
{
    if (m_moeLayers.empty() || m_experts == 0)
        return {};
    if (!m_selected)
        return Cell{m_moeLayers.front(), expertAt(0, 0)};
    const int rows = static_cast<int>(m_moeLayers.size());
    int row = m_moeRow[static_cast<std::size_t>(m_selected->layer)];
    int column = columnOf(row, m_selected->expert);
    if (key == Qt::Key_Up || key == Qt::Key_Down)
        row = std::clamp(row + step, 0, rows - 1);
    else
        column = std::clamp(column + step, 0, m_experts - 1);
    return Cell{m_moeLayers[static_cast<std::size_t>(row)], expertAt(row, column)};
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
    setHover({});
    if (const auto cell = moved(event->key(), back ? -1 : 1))
        emit cellPicked(*cell);
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

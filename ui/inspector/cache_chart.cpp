// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/cache_chart.h"

#include "ui/inspector/number_format.h"
#include "ui/theme/theme.h"
#include "ui/window/format.h"

#include <QPainter>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr int rowStep = 26;
constexpr int labelWidth = 92;
constexpr int numberWidth = 132;
constexpr int barHeight = 12;

} // namespace

CacheChart::CacheChart(CacheModel *model, QWidget *parent)
    : QWidget(parent)
    , m_model(model)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Bytes of a token in the cache"));
    setAccessibleDescription(tr("The same numbers are in the table below"));
    connect(model, &QAbstractItemModel::modelReset, this, [this] {
        updateGeometry();
        update();
    });
}

QSize CacheChart::sizeHint() const
{
    return {436, m_model->rowCount() * rowStep};
}

void CacheChart::paintEvent(QPaintEvent *)
{
    const std::vector<CacheModel::Row> &rows = m_model->rows();
    const auto held = std::find_if(rows.begin(), rows.end(), [](const auto &row) { return row.held; });
    if (held == rows.end())
        return;
    const Colors &colors = theme::colors();
    QPainter painter(this);
    QFont font = theme::numberFont();
    font.setPixelSize(13);
    painter.setFont(font);
    double largest = 0;
    for (const CacheModel::Row &row : rows)
        largest = std::max(largest, row.bytes);
    const int room = width() - labelWidth - numberWidth;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const CacheModel::Row &row = rows[i];
        const int top = static_cast<int>(i) * rowStep;
        painter.setPen(row.held ? colors.text : colors.secondary);
        painter.drawText(QRect(0, top, labelWidth, rowStep), Qt::AlignVCenter, row.kind);
        const double length = std::max(1.0, room * row.bytes / largest);
        const QRectF bar(labelWidth, top + (rowStep - barHeight) / 2.0, length, barHeight);
        painter.fillRect(bar, row.held ? colors.accent : theme::heat(0.25));
        const QString number = tr("%1 · %2 ×")
                                   .arg(formatBytes(static_cast<qint64>(row.bytes)),
                                        fixedText(row.bytes / held->bytes, row.held ? 0 : 1));
        painter.drawText(QRect(width() - numberWidth, top, numberWidth, rowStep),
                         Qt::AlignRight | Qt::AlignVCenter, number);
    }
}

} // namespace bathyscope::ui

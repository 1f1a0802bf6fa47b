// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/devices/plan_view.h"

#include "ui/devices/device_model.h"
#include "ui/devices/plan_model.h"
#include "ui/theme/color_math.h"
#include "ui/theme/theme.h"

#include <QHeaderView>
#include <QPainter>
#include <QStyledItemDelegate>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr int headerHeight = 28;
constexpr int rowHeight = 30;
constexpr int mostRows = 5; // shown at a time; the rest is scrolled to
constexpr int barHeight = 8;
constexpr int swatch = 8;

/// Colours of the parts of a bar, which are also those beside the headings.
struct PartColors {
    QColor weights, cache, workspace, others;

    PartColors()
    {
        const Colors &colors = theme::colors();
        weights = colors.accent;
        cache = mixLab(colors.panel, colors.accent, 0.55);
        workspace = mixLab(colors.panel, colors.secondary, 0.75);
        others = mixLab(colors.panel, colors.secondary, 0.3);
    }

    [[nodiscard]] QColor of(int column) const
    {
        return column == PlanModel::WeightsColumn  ? weights
            : column == PlanModel::CacheColumn     ? cache
            : column == PlanModel::WorkspaceColumn ? workspace
                                                   : QColor();
    }
};

void paintBar(QPainter &painter, const QRectF &bar, const DeviceShare &share)
{
    const PartColors parts;
    const DeviceMemory &memory = share.device.memory;
    const std::int64_t others = memory.total - memory.available;
    const auto whole =
        static_cast<double>(std::max({memory.total, others + share.needed(), std::int64_t(1)}));
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme::colors().line);
    painter.drawRect(bar);
    double left = bar.left();
    for (const auto &[bytes, color] : {std::pair(others, parts.others),
                                       {share.weights, parts.weights},
                                       {share.cache, parts.cache},
                                       {share.workspace, parts.workspace}}) {
        const double width = static_cast<double>(bytes) / whole * bar.width();
        painter.setBrush(color);
        painter.drawRect(QRectF(left, bar.top(), width, bar.height()));
        left += width;
    }
    // What goes beyond the memory there is.
    const double end = bar.left() + static_cast<double>(memory.total) / whole * bar.width();
    if (memory.total > 0 && left > end + 0.5) {
        painter.setBrush(theme::colors().error);
        painter.drawRect(QRectF(end, bar.top(), left - end, bar.height()));
    }
}

class Delegate final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override
    {
        const Colors &colors = theme::colors();
        painter->save();
        if (option.state & QStyle::State_Selected)
            painter->fillRect(option.rect, colors.ownMessage);
        else if (option.state & QStyle::State_MouseOver)
            painter->fillRect(option.rect, colors.hover);
        const auto *plan = qobject_cast<const PlanModel *>(index.model());
        if (plan != nullptr && index.column() == PlanModel::BarColumn) {
            const QRectF cell = QRectF(option.rect).adjusted(8, 0, -6, 0);
            paintBar(*painter,
                     QRectF(cell.left(), cell.center().y() - barHeight / 2.0, cell.width(), barHeight),
                     plan->share(index.row()));
        } else {
            paintText(*painter, option, index);
        }
        painter->restore();
    }

private:
    static void paintText(QPainter &painter, const QStyleOptionViewItem &option, const QModelIndex &index)
    {
        const Colors &colors = theme::colors();
        const bool isPlan = qobject_cast<const PlanModel *>(index.model()) != nullptr;
        const bool missing =
            isPlan && index.column() == PlanModel::LeftColumn && index.data(PlanModel::MissingRole).toBool();
        painter.setFont(index.column() == 0 ? theme::textFont() : theme::numberFont());
        painter.setPen(missing ? colors.error : index.column() == 0 ? colors.text : colors.secondary);
        const QRect rect = option.rect.adjusted(6, 0, -6, 0);
        painter.drawText(
            rect, index.data(Qt::TextAlignmentRole).toInt(),
            painter.fontMetrics().elidedText(index.data().toString(), Qt::ElideRight, rect.width()));
        const bool chosen = option.state & QStyle::State_Selected;
        if (chosen && index.column() == 0 && option.widget != nullptr && option.widget->hasFocus())
            painter.fillRect(QRect(option.rect.topLeft(), QSize(2, option.rect.height())), colors.accent);
    }
};

/// Headings with the colour that their part has in the bars.
class PlanHeader final : public QHeaderView {
public:
    explicit PlanHeader(QWidget *parent)
        : QHeaderView(Qt::Horizontal, parent)
    {
    }

protected:
    void paintSection(QPainter *painter, const QRect &rect, int section) const override
    {
        painter->save();
        QHeaderView::paintSection(painter, rect, section);
        painter->restore();
        const QColor color = PartColors().of(section);
        if (!color.isValid())
            return;
        const int text = QFontMetrics(font()).horizontalAdvance(
            model()->headerData(section, Qt::Horizontal, Qt::DisplayRole).toString());
        painter->fillRect(
            QRect(rect.right() - 6 - text - 6 - swatch, rect.center().y() - swatch / 2, swatch, swatch),
            color);
    }
};

void prepare(QTableView &view)
{
    view.setItemDelegate(new Delegate(&view));
    view.setSelectionBehavior(QAbstractItemView::SelectRows);
    view.setSelectionMode(QAbstractItemView::SingleSelection);
    view.setShowGrid(false);
    view.setMouseTracking(true);
    view.setTabKeyNavigation(false);
    view.setEditTriggers(QAbstractItemView::NoEditTriggers);
    view.setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    view.verticalHeader()->hide();
    view.verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    view.verticalHeader()->setDefaultSectionSize(rowHeight);
    view.horizontalHeader()->setFixedHeight(headerHeight);
    view.horizontalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    view.horizontalHeader()->setSectionsClickable(false);
    view.horizontalHeader()->setHighlightSections(false);
    view.horizontalHeader()->setFont(theme::smallFont());
    const auto fit = [&view] {
        view.setFixedHeight(headerHeight + rowHeight * std::clamp(view.model()->rowCount(), 1, mostRows) + 2);
    };
    QObject::connect(view.model(), &QAbstractItemModel::modelReset, &view, fit);
    fit();
}

} // namespace

DeviceTable::DeviceTable(DeviceModel *model, QWidget *parent)
    : QTableView(parent)
{
    setModel(model);
    prepare(*this);
    setAccessibleName(tr("Devices"));
}

QString DeviceTable::device() const
{
    return currentIndex().data(DeviceModel::IdRole).toString();
}

void DeviceTable::resizeEvent(QResizeEvent *event)
{
    QTableView::resizeEvent(event);
    constexpr int memory = 96;
    setColumnWidth(DeviceModel::FreeColumn, memory);
    setColumnWidth(DeviceModel::TotalColumn, memory);
    setColumnWidth(DeviceModel::NameColumn, std::max(120, viewport()->width() - 2 * memory));
}

void DeviceTable::currentChanged(const QModelIndex &current, const QModelIndex &previous)
{
    QTableView::currentChanged(current, previous);
    if (current.row() != previous.row())
        emit devicePicked();
}

PlanView::PlanView(PlanModel *model, QWidget *parent)
    : QTableView(parent)
{
    setModel(model);
    setHorizontalHeader(new PlanHeader(this));
    prepare(*this);
    setSelectionMode(NoSelection);
    setAccessibleName(tr("Memory plan"));
}

void PlanView::resizeEvent(QResizeEvent *event)
{
    QTableView::resizeEvent(event);
    const int widths[] = {150, 60, 88, 88, 104, 124};
    int used = 0;
    for (int column = 0; column < PlanModel::BarColumn; ++column) {
        setColumnWidth(column, widths[column]);
        used += widths[column];
    }
    setColumnWidth(PlanModel::BarColumn, std::max(60, viewport()->width() - used));
}

} // namespace bathyscope::ui

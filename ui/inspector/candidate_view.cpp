// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/candidate_view.h"

#include "ui/charts/candidate_chart.h"
#include "ui/inspector/candidate_model.h"
#include "ui/theme/theme.h"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>

#include <algorithm>
#include <numeric>

namespace bathyscope::ui {

namespace {

constexpr int headerHeight = 28;
constexpr int chartWidth = 124;

class CandidateDelegate final : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter *painter, const QStyleOptionViewItem &option,
               const QModelIndex &index) const override;
};

void CandidateDelegate::paint(QPainter *painter, const QStyleOptionViewItem &option,
                              const QModelIndex &index) const
{
    const Colors &colors = theme::colors();
    const auto kind = static_cast<CandidateModel::Kind>(index.data(CandidateModel::KindRole).toInt());
    const bool chosen = kind == CandidateModel::Kind::Chosen;
    painter->save();
    if (chosen)
        painter->fillRect(option.rect, colors.selection);
    else if (option.state & QStyle::State_Selected)
        painter->fillRect(option.rect, colors.ownMessage);
    else if (option.state & QStyle::State_MouseOver)
        painter->fillRect(option.rect, colors.hover);
    const bool isToken = index.column() == CandidateModel::TokenColumn;
    QFont font = isToken ? theme::monoFont() : theme::numberFont();
    font.setPixelSize(13);
    if (isToken && kind == CandidateModel::Kind::Others)
        font = theme::smallFont();
    painter->setFont(font);
    const bool quiet =
        !chosen && (kind == CandidateModel::Kind::Others || index.column() == CandidateModel::RankColumn);
    painter->setPen(quiet ? colors.secondary : colors.text);
    const QRect rect = option.rect.adjusted(6, 0, -6, 0);
    QString text = index.data().toString();
    if (isToken) // numbers have room
        text = painter->fontMetrics().elidedText(text, Qt::ElideRight, rect.width());
    painter->drawText(rect, index.data(Qt::TextAlignmentRole).toInt(), text);
    if (option.state & QStyle::State_HasFocus) {
        painter->setPen(colors.accent);
        painter->drawRect(option.rect.adjusted(0, 0, -1, -1));
    }
    painter->restore();
}

} // namespace

CandidateTable::CandidateTable(CandidateModel *model, QWidget *parent)
    : QTableView(parent)
    , m_model(model)
{
    setModel(model);
    setItemDelegate(new CandidateDelegate(this));
    setAccessibleName(tr("Candidates"));
    setAccessibleDescription(tr("The most probable tokens at this position and the one that was chosen"));
    setSelectionBehavior(SelectRows);
    setSelectionMode(ExtendedSelection);
    setShowGrid(false);
    setMouseTracking(true);
    setTabKeyNavigation(false);
    setEditTriggers(NoEditTriggers);
    setVerticalScrollMode(ScrollPerItem);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setDefaultSectionSize(rowHeight);
    verticalHeader()->setMinimumSectionSize(rowHeight);
    horizontalHeader()->setFixedHeight(headerHeight);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    horizontalHeader()->setSectionsClickable(false);
    horizontalHeader()->setFont(theme::smallFont());
    auto *copy = new QAction(tr("Copy rows"), this);
    copy->setShortcut(QKeySequence::Copy);
    copy->setShortcutContext(Qt::WidgetShortcut);
    connect(copy, &QAction::triggered, this, &CandidateTable::copyRows);
    connect(model, &QAbstractItemModel::headerDataChanged, this, &CandidateTable::placeColumns);
    addAction(copy);
    setContextMenuPolicy(Qt::ActionsContextMenu);
}

void CandidateTable::copyRows()
{
    std::vector<int> rows;
    for (const QModelIndex &index : selectionModel()->selectedRows())
        rows.push_back(index.row());
    if (rows.empty()) {
        rows.resize(static_cast<std::size_t>(m_model->rowCount()));
        std::iota(rows.begin(), rows.end(), 0);
    }
    std::sort(rows.begin(), rows.end());
    QGuiApplication::clipboard()->setText(m_model->toTsv(rows));
}

void CandidateTable::resizeEvent(QResizeEvent *event)
{
    QTableView::resizeEvent(event);
    placeColumns();
}

void CandidateTable::placeColumns()
{
    constexpr int rank = 44;
    constexpr int probability = 82;
    // A log-probability, or the name of a stage.
    const int last = m_model->state() == CandidateModel::State::Model ? 74 : 86;
    setColumnWidth(CandidateModel::RankColumn, rank);
    setColumnWidth(CandidateModel::ProbabilityColumn, probability);
    setColumnWidth(CandidateModel::LogProbColumn, last);
    setColumnWidth(CandidateModel::TokenColumn,
                   std::max(40, viewport()->width() - rank - probability - last));
}

CandidateView::CandidateView(CandidateModel *model, int rows, QWidget *parent)
    : QWidget(parent)
    , m_model(model)
    , m_mostRows(rows)
    , m_table(new CandidateTable(model, this))
    , m_chart(createCandidateChart(this))
{
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_table, 1);
    layout->addWidget(m_chart);
    m_chart->setFixedWidth(chartWidth);
    m_chart->setRows(headerHeight, CandidateTable::rowHeight);
    setFocusProxy(m_table);
    connect(model, &QAbstractItemModel::modelReset, this, &CandidateView::onReset);
    connect(m_chart, &CandidateChart::rowClicked, this,
            [this](int row) { m_table->selectRow(m_table->verticalScrollBar()->value() + row); });
    connect(m_table->verticalScrollBar(), &QScrollBar::valueChanged, this, &CandidateView::updateBars);
    connect(m_table, &QAbstractItemView::activated, this, [this](const QModelIndex &index) {
        const QVariant id = index.data(CandidateModel::TokenIdRole);
        if (id.isValid())
            emit tokenActivated(id.toInt());
    });
    onReset();
}

void CandidateView::onReset()
{
    // One row is kept free for a chosen token that is not among the candidates, so that what is below does
    // not move up and down while the view follows a reply.
    const int count = m_model->rowCount();
    const bool chosenApart = m_model->index(count - 2, 0).data().toString() == QStringLiteral("–");
    const int rows = std::min(count + (chosenApart || count < 2 ? 0 : 1), m_mostRows);
    m_table->setVerticalScrollBarPolicy(count > rows ? Qt::ScrollBarAlwaysOn : Qt::ScrollBarAlwaysOff);
    setFixedHeight(headerHeight + rows * CandidateTable::rowHeight + 2);
    updateBars();
}

/// Of the rows in sight.
void CandidateView::updateBars()
{
    std::vector<CandidateBar> bars;
    const int first = m_table->verticalScrollBar()->value();
    for (int row = first; row < std::min(m_model->rowCount(), first + m_mostRows); ++row) {
        const QModelIndex index = m_model->index(row, CandidateModel::TokenColumn);
        bars.push_back(
            {.label = index.data().toString(),
             .probability = index.data(CandidateModel::ProbabilityRole).toDouble(),
             .kind = static_cast<CandidateBar::Kind>(index.data(CandidateModel::KindRole).toInt())});
    }
    m_chart->setBars(bars);
}

} // namespace bathyscope::ui

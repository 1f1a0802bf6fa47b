// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/fork_view.h"

#include "ui/inspector/fork_comparison.h"
#include "ui/inspector/fork_map.h"
#include "ui/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr int rowHeight = 21;
constexpr int tableHeight = 14 * rowHeight;

} // namespace

ForkView::ForkView(QWidget *parent)
    : QWidget(parent)
    , m_map(new ForkMap(this))
    , m_other(new QComboBox(this))
    , m_texts(new QLabel(this))
    , m_comparison(new ForkComparison(this))
    , m_table(new QTableView(this))
{
    auto *heading = new QLabel(tr("Versions"), this);
    heading->setProperty("role", QStringLiteral("heading"));
    m_other->setAccessibleName(tr("Version to compare with"));
    m_other->setFont(theme::smallFont());
    m_other->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_texts->setFont(theme::smallFont());
    m_texts->setProperty("role", QStringLiteral("secondary"));
    m_texts->setWordWrap(true);
    m_texts->setTextFormat(Qt::PlainText);
    m_table->setModel(m_comparison);
    m_table->setAccessibleName(tr("Two versions from where they part"));
    m_table->setFont(theme::numberFont());
    m_table->setShowGrid(false);
    m_table->setTabKeyNavigation(false);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(rowHeight);
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    m_table->horizontalHeader()->setSectionsClickable(false);
    m_table->setFixedHeight(tableHeight);
    auto *top = new QHBoxLayout;
    top->addWidget(heading, 1);
    top->addWidget(m_other);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addLayout(top);
    layout->addWidget(m_map);
    layout->addWidget(m_texts);
    layout->addWidget(m_table);
    connect(m_map, &ForkMap::branchPicked, this,
            [this](int branch) { emit siblingRequested(m_shown, branch - m_current); });
    connect(m_other, &QComboBox::currentIndexChanged, this, &ForkView::compare);
    hide();
}

void ForkView::setVersions(const ReplyVersions &versions, MessageId shown, int expertsPerToken)
{
    const auto found = versions
        ? std::find_if(versions->begin(), versions->end(),
                       [shown](const ChatMessage &version) { return version.id == shown; })
        : std::vector<ChatMessage>::const_iterator();
    const bool useful = versions && versions->size() > 1 && found != versions->end();
    setVisible(useful);
    if (!useful || (versions == m_versions && shown == m_shown))
        return;
    m_versions = versions;
    m_shown = shown;
    m_expertsPerToken = expertsPerToken;
    m_current = static_cast<int>(found - versions->begin());
    std::vector<std::vector<TokenId>> replies;
    for (const ChatMessage &version : *versions) {
        std::vector<TokenId> &ids = replies.emplace_back();
        for (const TokenRecord &record : version.tokens)
            ids.push_back(record.id);
    }
    m_map->setTree(forkTree(replies), m_current);
    const QSignalBlocker blocker(m_other);
    m_other->clear();
    for (int version = 0; version < static_cast<int>(versions->size()); ++version)
        if (version != m_current)
            m_other->addItem(tr("beside version %1").arg(version + 1), version);
    m_other->setCurrentIndex(std::max(m_current - 1, 0));
    compare();
}

void ForkView::compare()
{
    const int other = m_other->currentData().toInt();
    m_comparison->setVersions(m_versions, m_current, other, m_expertsPerToken);
    const auto answer = [this](int version) {
        const std::string &text = (*m_versions)[static_cast<std::size_t>(version)].answer.utf8;
        return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())).trimmed();
    };
    m_texts->setText(tr("They part at token %1. Version %2: %3\nVersion %4: %5")
                         .arg(m_comparison->forkToken() + 1)
                         .arg(m_current + 1)
                         .arg(answer(m_current).left(200))
                         .arg(other + 1)
                         .arg(answer(other).left(200)));
}

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/fork_view.h"

#include "ui/inspector/fork_comparison.h"
#include "ui/inspector/fork_map.h"
#include "ui/inspector/plain_table.h"
#include "ui/inspector/score_grid.h"
#include "ui/inspector/version_text.h"
#include "ui/model/fork_tree.h"
#include "ui/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr int textHeight = 168; // px
constexpr int tableRows = 12;

} // namespace

ForkView::ForkView(Selection *selection, Versions *versions, QWidget *parent)
    : QWidget(parent)
    , m_selection(selection)
    , m_versions(versions)
    , m_map(new ForkMap(this))
    , m_other(new QComboBox(this))
    , m_summary(new QLabel(this))
    , m_scores(new ScoreGrid({QString(), QString()}, this))
    , m_left(new VersionText(tr("Text of the version shown"), this))
    , m_right(new VersionText(tr("Text of the version beside it"), this))
    , m_comparison(new ForkComparison(this))
    , m_table(new PlainTable(m_comparison, tr("Two versions from where they part"), tableRows, this))
{
    build();
    connect(m_map, &ForkMap::branchPicked, this,
            [this](int branch) { emit siblingRequested(m_reply, branch - m_pair.shown); });
    connect(m_other, &QComboBox::activated, this,
            [this] { m_versions->setOther(m_reply, m_other->currentData().toInt()); });
    connect(m_table, &PlainTable::rowPicked, this, &ForkView::pickRow);
    connect(m_left, &VersionText::tokenPicked, this, [this](int token) {
        m_selection->setToken(TokenPosition{m_reply, token});
    });
    connect(m_right, &VersionText::tokenPicked, this, &ForkView::pickOther);
    hide();
}

void ForkView::build()
{
    auto *heading = new QLabel(tr("Versions"), this);
    heading->setProperty("role", QStringLiteral("heading"));
    m_other->setAccessibleName(tr("Version to compare with"));
    m_other->setFont(theme::smallFont());
    m_other->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_summary->setFont(theme::smallFont());
    m_summary->setProperty("role", QStringLiteral("secondary"));
    m_summary->setWordWrap(true);
    m_left->setFixedHeight(textHeight);
    m_right->setFixedHeight(textHeight);
    auto *top = new QHBoxLayout;
    top->addWidget(heading, 1);
    top->addWidget(m_other);
    auto *texts = new QHBoxLayout;
    texts->setSpacing(8);
    texts->addWidget(m_left);
    texts->addWidget(m_right);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addLayout(top);
    layout->addWidget(m_map);
    layout->addWidget(m_summary);
    layout->addWidget(m_scores);
    layout->addLayout(texts);
    layout->addWidget(m_table);
}

void ForkView::setReply(MessageId reply, int expertsPerToken)
{
    const VersionPair pair = m_versions->pairOf(reply);
    setVisible(static_cast<bool>(pair));
    const bool same = reply == m_reply && pair == m_pair && expertsPerToken == m_expertsPerToken;
    m_reply = reply;
    m_pair = pair;
    m_expertsPerToken = expertsPerToken;
    if (pair && !same)
        showPair();
    followSelection();
}

void ForkView::showPair()
{
    m_map->setTree(forkTree(*m_pair.all), m_pair.shown);
    {
        const QSignalBlocker blocker(m_other);
        m_other->clear();
        for (int version = 0; version < static_cast<int>(m_pair.all->size()); ++version)
            if (version != m_pair.shown)
                m_other->addItem(tr("beside version %1").arg(version + 1), version);
        m_other->setCurrentIndex(m_other->findData(m_pair.other));
    }
    m_comparison->setPair(m_pair, m_expertsPerToken);
    showTexts();
    showScores();
}

void ForkView::showTexts()
{
    std::vector<bool> left(m_pair.shownReply().tokens.size());
    std::vector<bool> right(m_pair.otherReply().tokens.size());
    for (const AlignedTokens &row : m_comparison->rows()) {
        if (!m_comparison->differs(row))
            continue;
        if (row.left >= 0)
            left[static_cast<std::size_t>(row.left)] = true;
        if (row.right >= 0)
            right[static_cast<std::size_t>(row.right)] = true;
    }
    m_left->setVersion(m_pair.shownReply(), m_comparison->forkToken(), std::move(left));
    m_right->setVersion(m_pair.otherReply(), m_comparison->forkToken(), std::move(right));
}

void ForkView::showScores()
{
    const auto fork = static_cast<std::size_t>(m_comparison->forkToken());
    const auto fromFork = [fork](const ChatMessage &version) {
        return scoreOf(std::span(version.tokens).subspan(fork));
    };
    m_scores->setName(0, tr("Version %1").arg(m_pair.shown + 1));
    m_scores->setName(1, tr("Version %1").arg(m_pair.other + 1));
    m_scores->setScore(0, fromFork(m_pair.shownReply()));
    m_scores->setScore(1, fromFork(m_pair.otherReply()));
    QString text =
        tr("They part at token %1; the figures are from there on.").arg(m_comparison->forkToken() + 1);
    if (const auto shared = m_comparison->sharedExperts())
        text += QLatin1Char(' ')
            + tr("Tokens side by side share %1 % of their experts (derived).")
                  .arg(std::lround(100 * *shared));
    m_summary->setText(text);
}

void ForkView::followSelection()
{
    const auto &token = m_selection->token();
    if (m_pair && token && token->message == m_reply)
        markRow(m_comparison->rowOf(token->token));
}

/// Before the fork both versions have the same token in the same place.
void ForkView::markRow(int row)
{
    const auto &rows = m_comparison->rows();
    const int shared = row < 0 ? m_selection->token()->token : -1;
    m_left->markToken(row < 0 ? shared : rows[static_cast<std::size_t>(row)].left);
    m_right->markToken(row < 0 ? shared : rows[static_cast<std::size_t>(row)].right);
    const QSignalBlocker quiet(m_table);
    if (row < 0)
        m_table->clearSelection();
    else
        m_table->selectRow(row);
}

void ForkView::pickRow(int row)
{
    const AlignedTokens &tokens = m_comparison->rows()[static_cast<std::size_t>(row)];
    if (tokens.left >= 0)
        m_selection->setToken(TokenPosition{m_reply, tokens.left});
    else
        markRow(row); // nothing stands there in the version shown
}

void ForkView::pickOther(int token)
{
    const auto &rows = m_comparison->rows();
    for (std::size_t row = 0; row < rows.size(); ++row)
        if (rows[row].right == token)
            return pickRow(static_cast<int>(row));
    m_selection->setToken(TokenPosition{m_reply, token}); // shared
}

QString ForkView::summary() const
{
    return m_summary->text();
}

} // namespace bathyscope::ui

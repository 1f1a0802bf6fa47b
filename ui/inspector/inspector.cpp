// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/inspector.h"

#include "ui/inspector/answer_page.h"
#include "ui/inspector/decision_view.h"
#include "ui/inspector/distribution_view.h"
#include "ui/inspector/experts_page.h"
#include "ui/inspector/fork_view.h"
#include "ui/inspector/memory_page.h"
#include "ui/inspector/token_page.h"
#include "ui/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QScrollArea>
#include <QShortcut>
#include <QStackedLayout>
#include <QStackedWidget>
#include <QTabBar>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr int margin = 16;
constexpr int tabPadding = 4; // px that a tab begins before its text
constexpr int refreshInterval = 50; // ms; while following a reply, numbers change no faster than one can see

} // namespace

Inspector::Inspector(ChatModel *chat, Selection *selection, QWidget *parent)
    : QWidget(parent)
    , m_chat(chat)
    , m_selection(selection)
    , m_top(new QHBoxLayout)
    , m_tabs(new QTabBar(this))
    , m_stack(new QStackedWidget(this))
    , m_tokenPage(new TokenPage(selection))
    , m_answerPage(new AnswerPage(selection, &m_versions))
    , m_expertsPage(
          new ExpertsPage(chat, selection, &m_versions, [this](MessageId id) { return modelOf(id); }))
    , m_memoryPage(new MemoryPage)
    , m_hint(new QLabel(this))
    , m_faces(new QStackedLayout)
{
    setAccessibleName(tr("Inspector"));
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    m_tabs->setAccessibleName(tr("Pages of the inspector"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_hint->setAlignment(Qt::AlignCenter);
    m_hint->setWordWrap(true);
    m_hint->setMargin(40);
    m_hint->setProperty("role", QStringLiteral("secondary"));
    auto *rule = new QFrame(this);
    rule->setFrameShape(QFrame::HLine);
    rule->setFrameShadow(QFrame::Plain);
    rule->setFixedHeight(1);
    m_faces->addWidget(m_stack);
    m_faces->addWidget(m_hint);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 4, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(m_top);
    layout->addWidget(rule);
    layout->addLayout(m_faces, 1);
    m_top->setContentsMargins(margin - tabPadding, 0, margin, 0);
    m_top->addWidget(m_tabs);
    m_top->addStretch(1);
    addPage(m_tokenPage, tr("Token"));
    addPage(m_answerPage, tr("Answer"));
    addPage(m_expertsPage, tr("Experts"));
    addPage(m_memoryPage, tr("Memory"));
    connectSources();
    refresh();
}

void Inspector::addPage(InspectorPage *page, const QString &title)
{
    auto *column = new QWidget;
    auto *layout = new QVBoxLayout(column);
    layout->setContentsMargins(margin, 12, margin, margin);
    layout->addWidget(page);
    auto *scroll = new QScrollArea;
    scroll->setWidget(column);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    m_pages.push_back(page);
    m_stack->addWidget(scroll);
    m_tabs->addTab(title);
    connect(page, &InspectorPage::pinRequested, this, &Inspector::pin);
}

void Inspector::connectSources()
{
    m_refreshTimer.setSingleShot(true);
    m_refreshTimer.setInterval(refreshInterval);
    connect(&m_refreshTimer, &QTimer::timeout, this, &Inspector::refresh);
    connect(m_chat, &ChatModel::tokensAppended, this, &Inspector::onTokensAppended);
    connect(m_chat, &QAbstractItemModel::dataChanged, this, &Inspector::refreshSoon);
    connect(m_chat, &QAbstractItemModel::modelReset, &m_versions, &Versions::clear);
    connect(m_chat, &QAbstractItemModel::modelReset, this, &Inspector::onConversationChanged);
    connect(m_chat, &QAbstractItemModel::rowsRemoved, this, &Inspector::onConversationChanged);
    connect(m_selection, &Selection::changed, this, &Inspector::refresh);
    connect(&m_versions, &Versions::changed, this, &Inspector::refresh);
    connect(m_tokenPage->distribution(), &DistributionView::forkRequested, this, &Inspector::forkRequested);
    connect(m_tokenPage->distribution(), &DistributionView::forkTextRequested, this,
            &Inspector::forkTextRequested);
    connect(m_answerPage->forks(), &ForkView::siblingRequested, this, &Inspector::siblingRequested);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int index) {
        m_stack->setCurrentIndex(index);
        refresh();
    });
    const std::pair<QKeySequence, int> walks[] = {
        {Qt::Key_Left, -1}, {Qt::Key_Right, 1}, {Qt::ALT | Qt::Key_Left, -1}, {Qt::ALT | Qt::Key_Right, 1}};
    for (const auto &[key, step] : walks) {
        auto *shortcut = new QShortcut(key, this);
        shortcut->setContext(Qt::WidgetWithChildrenShortcut);
        connect(shortcut, &QShortcut::activated, this, [this, by = step] { walk(by); });
    }
}

void Inspector::setModel(const ModelInfo &model)
{
    m_model = std::make_shared<const ModelInfo>(model);
    m_memoryPage->setLoaded(model);
    refresh();
}

void Inspector::setModelProvider(ModelProvider provider)
{
    m_provider = std::move(provider);
    refresh();
}

void Inspector::setAnalysisSource(AnalysisSource *source)
{
    m_tokenPage->distribution()->setSource(source);
    m_answerPage->setSource(source);
    m_expertsPage->decision()->setSource(source);
    refresh();
}

void Inspector::setUnavailable(const QString &reason)
{
    m_unavailable = reason;
    refresh();
}

QStringList Inspector::pageTitles() const
{
    QStringList titles;
    for (int index = 0; index < m_tabs->count(); ++index)
        titles << m_tabs->tabText(index);
    return titles;
}

int Inspector::currentPage() const
{
    return m_tabs->currentIndex();
}

void Inspector::setCurrentPage(int index)
{
    m_tabs->setCurrentIndex(index);
}

void Inspector::setExportMenu(QMenu *menu)
{
    auto *button = new QToolButton(this);
    button->setText(tr("Export ▾"));
    button->setToolTip(tr("Pictures, tables and traces as files"));
    button->setProperty("quiet", true);
    button->setPopupMode(QToolButton::InstantPopup);
    button->setMenu(menu);
    m_top->addWidget(button);
}

CandidateModel *Inspector::candidates() const
{
    return m_tokenPage->candidates();
}

std::shared_ptr<const ModelInfo> Inspector::modelOf(MessageId id) const
{
    if (m_provider)
        if (auto model = m_provider(id))
            return model;
    return m_model;
}

void Inspector::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    refresh();
}

void Inspector::onTokensAppended(MessageId id, int, int)
{
    m_followed = id;
    refreshSoon();
}

/// A reply grows, or has ended.
void Inspector::refreshSoon()
{
    if (isVisible() && !m_refreshTimer.isActive())
        m_refreshTimer.start();
}

void Inspector::onConversationChanged()
{
    m_followed.reset();
    for (InspectorPage *page : m_pages)
        page->clear();
    refresh();
}

std::optional<TokenPosition> Inspector::wanted() const
{
    if (m_selection->token())
        return m_selection->token();
    if (!m_followed)
        return {};
    const ChatMessage *message = m_chat->find(*m_followed);
    if (message == nullptr || message->tokens.empty())
        return {};
    return TokenPosition{*m_followed, static_cast<int>(message->tokens.size()) - 1};
}

void Inspector::refresh()
{
    if (!isVisible())
        return;
    if (!m_unavailable.isEmpty()) {
        showHint(m_unavailable);
        return;
    }
    const std::optional<TokenPosition> position = wanted();
    const ChatMessage *message = position ? m_chat->find(position->message) : nullptr;
    const bool there = message != nullptr && position->token >= 0
        && position->token < static_cast<int>(message->tokens.size());
    if (!there && !page()->needsToken()) {
        m_faces->setCurrentIndex(0);
        return;
    }
    if (!there) {
        showHint(tr("Click a token in the chat to see what else the model considered."));
        return;
    }
    m_shown = position;
    page()->inspect({*message, position->token, modelOf(message->id)});
    m_faces->setCurrentIndex(0);
}

void Inspector::showHint(const QString &text)
{
    if (m_shown)
        for (InspectorPage *page : m_pages)
            page->clear();
    m_shown.reset();
    m_hint->setText(text);
    m_faces->setCurrentIndex(1);
}

void Inspector::pin(bool wanted)
{
    const ChatMessage *message = wanted && m_shown ? m_chat->find(m_shown->message) : nullptr;
    if (message == nullptr)
        m_selection->setPinned({});
    else
        m_selection->setPinned(
            {*m_shown,
             std::make_shared<const TokenRecord>(message->tokens[static_cast<std::size_t>(m_shown->token)])});
}

void Inspector::togglePin()
{
    pin(!m_selection->pinned());
}

void Inspector::walk(int step)
{
    if (!m_shown)
        return;
    const ChatMessage *message = m_chat->find(m_shown->message);
    if (message == nullptr)
        return;
    const int last = static_cast<int>(message->tokens.size()) - 1;
    m_selection->walkTo({m_shown->message, std::clamp(m_shown->token + step, 0, last)});
}

} // namespace bathyscope::ui

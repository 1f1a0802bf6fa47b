// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/download_page.h"

#include "ui/window/format.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStyle>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

using State = DownloadEntry::State;

constexpr int idRole = Qt::UserRole;
constexpr int progressSteps = 1000;
constexpr int rowHeight = 28;
constexpr int downloadsHeight = 32 + 4 * rowHeight;

QTreeWidget *makeList(const QStringList &headings, const QString &name, QWidget *parent)
{
    auto *list = new QTreeWidget(parent);
    list->setHeaderLabels(headings);
    list->setAccessibleName(name);
    list->setRootIsDecorated(false);
    list->setUniformRowHeights(true);
    list->setAllColumnsShowFocus(true);
    list->setTabKeyNavigation(false);
    list->header()->setStretchLastSection(false);
    list->header()->setSectionsMovable(false);
    list->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    list->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    return list;
}

QTreeWidgetItem *addRow(QTreeWidget *list, const QString &text)
{
    auto *item = new QTreeWidgetItem(list);
    item->setText(0, text);
    item->setSizeHint(0, {0, rowHeight});
    return item;
}

/// Right-aligned, as numbers are.
void setNumber(QTreeWidgetItem *item, int column, const QString &text)
{
    item->setText(column, text);
    item->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
}

/// A bar in the middle of its row.
QWidget *makeBar(const QString &name, QWidget *parent)
{
    auto *cell = new QWidget(parent);
    auto *bar = new QProgressBar(cell);
    bar->setRange(0, progressSteps);
    bar->setAccessibleName(name);
    auto *layout = new QVBoxLayout(cell);
    layout->setContentsMargins(6, 0, 18, 0);
    layout->addWidget(bar);
    return cell;
}

QString stateText(const DownloadEntry &entry)
{
    switch (entry.state) {
    case State::Running: {
        if (entry.total > 0 && entry.done >= entry.total)
            return DownloadPage::tr("checking");
        QStringList parts{DownloadPage::tr("%1/s").arg(formatBytes(static_cast<std::int64_t>(entry.speed)))};
        const QString left = formatTimeLeft(entry.total - entry.done, entry.speed);
        if (!left.isEmpty())
            parts << left;
        return parts.join(QStringLiteral(" · "));
    }
    case State::Paused:
        return DownloadPage::tr("paused");
    case State::Failed:
        return DownloadPage::tr("failed");
    case State::Done:
        break;
    }
    return DownloadPage::tr("done");
}

} // namespace

QString formatTimeLeft(qint64 bytes, double bytesPerSecond)
{
    if (bytesPerSecond < 1)
        return {};
    const double seconds = double(bytes) / bytesPerSecond;
    const auto rounded = [](double value) { return QLocale().toString(std::ceil(value), 'f', 0); };
    return seconds < 60  ? DownloadPage::tr("%1 s left").arg(rounded(seconds))
        : seconds < 3600 ? DownloadPage::tr("%1 min left").arg(rounded(seconds / 60))
        : seconds < 1e6  ? DownloadPage::tr("%1 h left").arg(rounded(seconds / 3600))
                         : QString();
}

DownloadPage::DownloadPage(QWidget *parent)
    : QWidget(parent)
{
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 12, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(buildSearch());
    m_status = new QLabel(this);
    m_status->setWordWrap(true);
    m_status->setTextFormat(Qt::PlainText);
    m_status->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    layout->addWidget(m_status);
    m_empty = new QLabel(
        tr("Search by name, or paste an id (owner/name) or an address. Nothing is sent before you do."),
        this);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setProperty("role", "secondary");
    m_offers = buildOffers();
    m_offers->hide();
    layout->addWidget(m_empty, 1);
    layout->addWidget(m_offers, 1);
    buildDownloads(layout);
    setStatus({});
    setDownloads({});
}

QPushButton *DownloadPage::addButton(const QString &text, QWidget *parent)
{
    auto *button = new QPushButton(text, parent);
    button->setAutoDefault(false);
    return button;
}

QWidget *DownloadPage::buildSearch()
{
    auto *head = new QWidget(this);
    m_search = new QLineEdit(head);
    m_search->setPlaceholderText(tr("Search the hub, or paste an id or an address"));
    m_search->setAccessibleName(tr("Search the hub"));
    m_search->setClearButtonEnabled(true);
    QPushButton *search = addButton(tr("Search"), head);
    QPushButton *token = addButton(tr("Access token…"), head);
    const auto ask = [this] {
        if (!m_search->text().trimmed().isEmpty())
            emit searchRequested(m_search->text().trimmed());
    };
    connect(m_search, &QLineEdit::returnPressed, this, ask);
    connect(search, &QPushButton::clicked, this, ask);
    connect(token, &QPushButton::clicked, this, &DownloadPage::tokenRequested);
    auto *row = new QHBoxLayout(head);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    row->addWidget(m_search, 1);
    row->addWidget(search);
    row->addWidget(token);
    return head;
}

QWidget *DownloadPage::buildOffers()
{
    auto *offers = new QWidget(this);
    m_results = makeList({tr("Model"), tr("Downloads")}, tr("Models that were found"), offers);
    m_choices = makeList({tr("Version"), tr("Fits"), tr("Size")}, tr("Versions of the model"), offers);
    m_get = addButton(tr("Download"), offers);
    m_get->setProperty("primary", true);
    connect(m_results, &QTreeWidget::currentItemChanged, this, [this](const QTreeWidgetItem *item) {
        if (item != nullptr)
            emit repositoryRequested(item->data(0, idRole).toString());
    });
    connect(m_choices, &QTreeWidget::currentItemChanged, this, &DownloadPage::showButtons);
    connect(m_choices, &QTreeWidget::itemActivated, this, &DownloadPage::download);
    connect(m_get, &QPushButton::clicked, this, &DownloadPage::download);
    auto *right = new QVBoxLayout;
    right->setSpacing(8);
    right->addWidget(m_choices, 1);
    right->addWidget(m_get, 0, Qt::AlignRight);
    auto *columns = new QHBoxLayout(offers);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(24);
    columns->addWidget(m_results, 1);
    columns->addLayout(right, 1);
    return offers;
}

void DownloadPage::buildDownloads(QVBoxLayout *layout)
{
    m_downloads = makeList({tr("Downloads"), tr("Progress"), tr("Size"), QString()}, tr("Downloads"), this);
    m_downloads->setFixedHeight(downloadsHeight);
    m_downloads->header()->setSectionResizeMode(1, QHeaderView::Fixed);
    m_downloads->header()->resizeSection(1, 180);
    m_downloads->header()->setSectionResizeMode(3, QHeaderView::Fixed);
    m_downloads->header()->resizeSection(3, 190);
    connect(m_downloads, &QTreeWidget::currentItemChanged, this, &DownloadPage::showButtons);
    m_pause = addButton(tr("Pause"), this);
    m_remove = addButton(tr("Remove"), this);
    connect(m_pause, &QPushButton::clicked, this, [this] {
        const DownloadEntry *entry = currentDownload();
        if (entry != nullptr && entry->state == State::Running)
            emit pauseRequested(entry->id);
        else if (entry != nullptr)
            emit resumeRequested(entry->id);
    });
    connect(m_remove, &QPushButton::clicked, this, [this] {
        if (const DownloadEntry *entry = currentDownload())
            emit removeRequested(entry->id);
    });
    auto *buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    buttons->addStretch(1);
    buttons->addWidget(m_pause);
    buttons->addWidget(m_remove);
    layout->addWidget(m_downloads);
    layout->addLayout(buttons);
}

void DownloadPage::setRoom(qint64 bytes)
{
    m_room = bytes;
}

void DownloadPage::setStatus(const QString &text, bool isError)
{
    m_status->setText(text);
    m_status->setVisible(!text.isEmpty());
    m_status->setProperty("role", isError ? "error" : "secondary");
    m_status->style()->unpolish(m_status);
    m_status->style()->polish(m_status);
}

void DownloadPage::setResults(const std::vector<HubResult> &results)
{
    m_results->clear();
    m_offers->setVisible(!results.empty());
    m_empty->setVisible(results.empty());
    setChoices({}, {});
    for (const HubResult &result : results) {
        auto *item = addRow(m_results, result.gated ? tr("%1 · needs a token").arg(result.id) : result.id);
        item->setData(0, idRole, result.id);
        if (result.downloads > 0)
            setNumber(item, 1, QLocale().toString(result.downloads));
    }
    setStatus(results.empty() ? tr("The hub knows no model of that name.")
                              : tr("%1 found; choose one to see its versions.").arg(results.size()));
}

void DownloadPage::setChoices(const QString &repository, const std::vector<HubChoice> &choices)
{
    m_repository = repository;
    m_offered = choices;
    m_choices->clear();
    for (const HubChoice &choice : choices) {
        auto *item = addRow(m_choices, choice.title);
        item->setToolTip(0, choice.files.join(QLatin1Char('\n')));
        setNumber(item, 2, formatBytes(choice.bytes));
        if (m_room > 0)
            item->setText(1, choice.bytes <= m_room ? tr("in memory") : tr("too large"));
    }
    if (!repository.isEmpty())
        setStatus(choices.empty() ? tr("%1 has neither GGUF files nor safetensors.").arg(repository)
                                  : repository);
    showButtons();
}

void DownloadPage::download()
{
    const int row = m_choices->indexOfTopLevelItem(m_choices->currentItem());
    if (row >= 0)
        emit downloadRequested(m_repository, m_offered[static_cast<std::size_t>(row)]);
}

void DownloadPage::setDownloads(const std::vector<DownloadEntry> &downloads)
{
    const bool same = std::ranges::equal(downloads, m_entries, {}, &DownloadEntry::id, &DownloadEntry::id);
    m_entries = downloads;
    if (!same) {
        const QSignalBlocker blocker(m_downloads);
        m_downloads->clear();
        for (const DownloadEntry &entry : downloads) {
            auto *item = addRow(m_downloads, entry.title);
            m_downloads->setItemWidget(item, 1, makeBar(tr("Progress of %1").arg(entry.title), m_downloads));
        }
        if (!downloads.empty())
            m_downloads->setCurrentItem(m_downloads->topLevelItem(m_downloads->topLevelItemCount() - 1));
    }
    for (int row = 0; row < m_downloads->topLevelItemCount(); ++row)
        fillDownload(row, downloads[static_cast<std::size_t>(row)]);
    m_downloads->setVisible(!downloads.empty());
    showButtons();
}

void DownloadPage::fillDownload(int row, const DownloadEntry &entry)
{
    QTreeWidgetItem *item = m_downloads->topLevelItem(row);
    item->setText(2, tr("%1 of %2").arg(formatBytes(entry.done), formatBytes(entry.total)));
    item->setText(3, stateText(entry));
    item->setToolTip(0, entry.problem);
    const double share = entry.total > 0 ? double(entry.done) / double(entry.total) : 0;
    m_downloads->itemWidget(item, 1)->findChild<QProgressBar *>()->setValue(
        static_cast<int>(std::clamp(share, 0.0, 1.0) * progressSteps));
}

const DownloadEntry *DownloadPage::currentDownload() const
{
    const int row = m_downloads->indexOfTopLevelItem(m_downloads->currentItem());
    return row >= 0 ? &m_entries[static_cast<std::size_t>(row)] : nullptr;
}

void DownloadPage::showButtons()
{
    m_get->setEnabled(m_choices->currentItem() != nullptr);
    const DownloadEntry *entry = currentDownload();
    m_pause->setVisible(!m_entries.empty());
    m_remove->setVisible(!m_entries.empty());
    m_pause->setEnabled(entry != nullptr && entry->state != State::Done);
    m_remove->setEnabled(entry != nullptr);
    const State state = entry != nullptr ? entry->state : State::Done;
    m_pause->setText(state == State::Paused       ? tr("Go on")
                         : state == State::Failed ? tr("Try again")
                                                  : tr("Pause"));
    if (state == State::Failed)
        setStatus(QStringLiteral("%1: %2").arg(entry->title, entry->problem), true);
}

} // namespace bathyscope::ui

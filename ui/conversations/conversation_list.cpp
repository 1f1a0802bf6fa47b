// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/conversations/conversation_list.h"

#include "ui/conversations/conversation_delegate.h"
#include "ui/theme/theme.h"

#include <QCheckBox>
#include <QContextMenuEvent>
#include <QInputDialog>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

namespace bathyscope::ui {

namespace {

constexpr int searchDelay = 150; // ms

ConversationId idOf(const QModelIndex &index)
{
    return index.data(ConversationModel::IdRole).toLongLong();
}

FolderId folderOf(const QModelIndex &index)
{
    return index.data(ConversationModel::FolderRole).toLongLong();
}

bool isFolder(const QModelIndex &index)
{
    return index.isValid() && idOf(index) == 0 && folderOf(index) != 0;
}

} // namespace

ConversationList::ConversationList(ConversationModel *model, QWidget *parent)
    : QWidget(parent)
    , m_model(model)
    , m_search(new QLineEdit(this))
    , m_reasoning(new QCheckBox(tr("In reasoning, too"), this))
    , m_view(new QListView(this))
    , m_empty(new QLabel(tr("Your conversations will be kept here."), this))
    , m_searchDelay(new QTimer(this))
{
    setObjectName(QStringLiteral("conversationList"));
    m_search->setPlaceholderText(tr("Search conversations"));
    m_search->setAccessibleName(tr("Search conversations"));
    m_search->setClearButtonEnabled(true);
    m_search->setMinimumHeight(32);
    m_search->installEventFilter(this);
    m_reasoning->hide();
    m_empty->setWordWrap(true);
    m_empty->setProperty("role", "secondary");
    m_empty->setContentsMargins(12, 8, 12, 0);

    m_view->setModel(model);
    m_view->setItemDelegate(new ConversationDelegate(m_view));
    m_view->setAccessibleName(tr("Conversations"));
    m_view->setFrameShape(QFrame::NoFrame);
    m_view->viewport()->setAutoFillBackground(false);
    m_view->setMouseTracking(true);
    m_view->setEditTriggers(QAbstractItemView::EditKeyPressed);
    m_view->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_view->setContextMenuPolicy(Qt::CustomContextMenu);
    m_view->installEventFilter(this);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 12, 8, 8);
    layout->setSpacing(4);
    auto *top = new QHBoxLayout;
    top->setContentsMargins(4, 0, 4, 0);
    top->addWidget(m_search);
    layout->addLayout(top);
    auto *below = new QHBoxLayout;
    below->setContentsMargins(8, 4, 4, 0);
    below->addWidget(m_reasoning);
    layout->addLayout(below);
    layout->addWidget(m_empty);
    layout->addWidget(m_view, 1);

    m_searchDelay->setSingleShot(true);
    m_searchDelay->setInterval(searchDelay);
    connect(m_searchDelay, &QTimer::timeout, this,
            [this] { emit searchRequested(m_search->text().trimmed(), m_reasoning->isChecked()); });
    connect(m_search, &QLineEdit::textChanged, m_searchDelay, qOverload<>(&QTimer::start));
    connect(m_search, &QLineEdit::textChanged, m_reasoning,
            [this](const QString &text) { m_reasoning->setVisible(!text.isEmpty()); });
    connect(m_reasoning, &QCheckBox::toggled, m_searchDelay, qOverload<>(&QTimer::start));
    connect(m_view, &QListView::clicked, this, &ConversationList::open);
    connect(m_view, &QListView::customContextMenuRequested, this, &ConversationList::showMenu);
    connect(model, &QAbstractItemModel::modelReset, this, &ConversationList::markCurrent);
    connect(model, &QAbstractItemModel::modelReset, this, &ConversationList::updateEmptyHint);
    updateEmptyHint();
}

void ConversationList::setCurrent(ConversationId id)
{
    m_current = id;
    markCurrent();
}

void ConversationList::focusSearch()
{
    m_search->setFocus(Qt::ShortcutFocusReason);
    m_search->selectAll();
}

void ConversationList::markCurrent()
{
    const int row = m_model->rowOf(m_current);
    if (row < 0)
        m_view->selectionModel()->clear();
    else
        m_view->setCurrentIndex(m_model->index(row));
}

void ConversationList::updateEmptyHint()
{
    m_empty->setVisible(m_model->rowCount() == 0);
}

void ConversationList::open(const QModelIndex &index)
{
    if (isFolder(index))
        toggleFolder(index);
    else if (const ConversationId id = idOf(index); id != 0)
        emit openRequested(id, index.data(ConversationModel::MessageRole).toLongLong());
}

void ConversationList::toggleFolder(const QModelIndex &index)
{
    const int row = index.row();
    m_model->setExpanded(folderOf(index), !index.data(ConversationModel::ExpandedRole).toBool());
    // What stands above has not changed. The open conversation stays marked, the keyboard goes on from here.
    m_view->selectionModel()->setCurrentIndex(m_model->index(row), QItemSelectionModel::NoUpdate);
}

void ConversationList::showMenu(const QPoint &position)
{
    const QModelIndex index = m_view->indexAt(position);
    QMenu menu(this);
    if (isFolder(index))
        fillFolderMenu(menu, index);
    else if (idOf(index) != 0)
        fillMenu(menu, index);
    else
        menu.addAction(tr("New folder…"), this, [this] { askForFolder(0); });
    menu.exec(m_view->viewport()->mapToGlobal(position));
}

void ConversationList::fillMenu(QMenu &menu, const QModelIndex &index)
{
    const ConversationId id = idOf(index);
    const bool pinned = index.data(ConversationModel::PinnedRole).toBool();
    menu.addAction(tr("Open"), this, [this, index = QPersistentModelIndex(index)] { open(index); });
    menu.addAction(tr("Rename"), this, [this, index = QPersistentModelIndex(index)] { m_view->edit(index); })
        ->setShortcut(Qt::Key_F2);
    menu.addAction(pinned ? tr("Unpin") : tr("Pin"), this,
                   [this, id, pinned] { emit pinRequested(id, !pinned); });
    fillMoveMenu(*menu.addMenu(tr("Move to folder")), index);
    menu.addAction(tr("Export…"), this, [this, id] { emit exportRequested(id); });
    menu.addSeparator();
    menu.addAction(tr("Delete…"), this,
                   [this, index = QPersistentModelIndex(index)] { confirmRemove(index); })
        ->setShortcut(Qt::Key_Delete);
}

void ConversationList::fillMoveMenu(QMenu &menu, const QModelIndex &index)
{
    const ConversationId id = idOf(index);
    const FolderId current = folderOf(index);
    const auto add = [&](FolderId folder, const QString &name) {
        QAction *action = menu.addAction(name, this, [this, id, folder] { emit moveRequested(id, folder); });
        action->setCheckable(true);
        action->setChecked(folder == current);
    };
    add(0, tr("None"));
    for (const FolderEntry &folder : m_model->folders())
        add(folder.id, QString(folder.name).replace(QLatin1Char('&'), QLatin1String("&&")));
    menu.addSeparator();
    menu.addAction(tr("New folder…"), this, [this, id] { askForFolder(id); });
}

void ConversationList::fillFolderMenu(QMenu &menu, const QModelIndex &index)
{
    const QPersistentModelIndex folder = index;
    menu.addAction(index.data(ConversationModel::ExpandedRole).toBool() ? tr("Close") : tr("Open"), this,
                   [this, folder] { open(folder); });
    menu.addAction(tr("Rename"), this, [this, folder] { m_view->edit(folder); })->setShortcut(Qt::Key_F2);
    menu.addAction(tr("New folder…"), this, [this] { askForFolder(0); });
    menu.addSeparator();
    menu.addAction(tr("Delete…"), this, [this, folder] { confirmRemove(folder); })
        ->setShortcut(Qt::Key_Delete);
}

void ConversationList::askForFolder(ConversationId id)
{
    const QString name = QInputDialog::getText(this, tr("New folder"), tr("Name of the folder")).simplified();
    if (!name.isEmpty())
        emit newFolderRequested(name, id);
}

void ConversationList::confirmRemove(const QModelIndex &index)
{
    const QString title = index.data(Qt::DisplayRole).toString();
    if (isFolder(index)) {
        const FolderId folder = folderOf(index);
        if (confirm(tr("Delete folder"), tr("Delete the folder “%1”? Its conversations stay.").arg(title)))
            emit removeFolderRequested(folder);
        return;
    }
    const ConversationId id = idOf(index);
    if (id != 0
        && confirm(tr("Delete conversation"), tr("Delete “%1” with all its answers and traces?").arg(title)))
        emit removeRequested(id);
}

bool ConversationList::confirm(const QString &title, const QString &question)
{
    QMessageBox box(QMessageBox::Question, title, question, QMessageBox::NoButton, this);
    box.setTextFormat(Qt::PlainText);
    const QPushButton *remove = box.addButton(tr("Delete"), QMessageBox::DestructiveRole);
    box.setDefaultButton(box.addButton(QMessageBox::Cancel));
    box.exec();
    return box.clickedButton() == remove;
}

bool ConversationList::eventFilter(QObject *watched, QEvent *event)
{
    if (event->type() == QEvent::ContextMenu && watched == m_view
        && static_cast<QContextMenuEvent *>(event)->reason() == QContextMenuEvent::Keyboard) {
        showMenu(m_view->visualRect(m_view->currentIndex()).center());
        return true;
    }
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent *>(event)->key();
        if (watched == m_search ? handleSearchKey(key) : handleListKey(key))
            return true;
    }
    return QWidget::eventFilter(watched, event);
}

bool ConversationList::handleSearchKey(int key)
{
    if (key == Qt::Key_Escape && !m_search->text().isEmpty()) {
        m_search->clear();
        return true;
    }
    if (key == Qt::Key_Down) {
        m_view->setFocus(Qt::TabFocusReason);
        return true;
    }
    return false;
}

bool ConversationList::handleListKey(int key)
{
    const QModelIndex index = m_view->currentIndex();
    if (key == Qt::Key_Return || key == Qt::Key_Enter) {
        open(index);
        return true;
    }
    if (key == Qt::Key_Delete) {
        confirmRemove(index);
        return true;
    }
    return false;
}

} // namespace bathyscope::ui

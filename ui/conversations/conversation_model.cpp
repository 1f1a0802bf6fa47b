// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/conversations/conversation_model.h"

#include <QLocale>

#include <algorithm>

namespace bathyscope::ui {

namespace {

QString dateGroupOf(const ConversationEntry &entry, const QDate &today)
{
    const qint64 days = entry.updated.date().daysTo(today);
    if (days <= 0)
        return ConversationModel::tr("Today");
    if (days == 1)
        return ConversationModel::tr("Yesterday");
    if (days <= 7)
        return ConversationModel::tr("Last week");
    if (days <= 30)
        return ConversationModel::tr("Last month");
    return ConversationModel::tr("Earlier");
}

ConversationEntry heading(const QString &title)
{
    ConversationEntry entry;
    entry.title = title;
    return entry;
}

} // namespace

int ConversationModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QVariant ConversationModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const Row &row = m_rows[static_cast<std::size_t>(index.row())];
    const ConversationEntry &entry = row.entry;
    const bool heading = entry.id == 0;
    switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole:
        return entry.title;
    case Qt::AccessibleTextRole:
        return !heading         ? entry.title
            : entry.folder == 0 ? tr("Group %1").arg(entry.title)
            : row.expanded      ? tr("Folder %1, open").arg(entry.title)
                                : tr("Folder %1, closed").arg(entry.title);
    case Qt::ToolTipRole:
        return heading ? QVariant() : QLocale().toString(entry.updated, QLocale::LongFormat);
    case IdRole:
        return QVariant::fromValue(static_cast<qint64>(entry.id));
    case HeadingRole:
        return heading;
    case FolderRole:
        return QVariant::fromValue(static_cast<qint64>(entry.folder));
    case ExpandedRole:
        return row.expanded;
    case CountRole:
        return row.count;
    case MessageRole:
        return QVariant::fromValue(static_cast<qint64>(entry.message));
    case PinnedRole:
        return entry.pinned;
    case SnippetRole:
        return entry.snippet;
    default:
        return {};
    }
}

bool ConversationModel::setData(const QModelIndex &index, const QVariant &value, int role)
{
    if (role != Qt::EditRole
        || !checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return false;
    ConversationEntry &entry = m_rows[static_cast<std::size_t>(index.row())].entry;
    const QString title = value.toString().simplified();
    if (!flags(index).testFlag(Qt::ItemIsEditable) || title.isEmpty() || title == entry.title)
        return false;
    entry.title = title;
    emit dataChanged(index, index, {Qt::DisplayRole, Qt::EditRole, Qt::AccessibleTextRole});
    if (entry.id != 0)
        emit renamed(entry.id, title);
    else
        emit folderRenamed(entry.folder, title);
    return true;
}

Qt::ItemFlags ConversationModel::flags(const QModelIndex &index) const
{
    if (!index.isValid())
        return Qt::NoItemFlags;
    const ConversationEntry &entry = m_rows[static_cast<std::size_t>(index.row())].entry;
    if (entry.id == 0 && entry.folder == 0)
        return Qt::NoItemFlags;
    return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsEditable | Qt::ItemNeverHasChildren;
}

QHash<int, QByteArray> ConversationModel::roleNames() const
{
    QHash<int, QByteArray> names = QAbstractListModel::roleNames();
    names.insert({{IdRole, "id"},
                  {HeadingRole, "heading"},
                  {FolderRole, "folder"},
                  {ExpandedRole, "expanded"},
                  {CountRole, "count"},
                  {MessageRole, "message"},
                  {PinnedRole, "pinned"},
                  {SnippetRole, "snippet"}});
    return names;
}

void ConversationModel::setConversations(const std::vector<ConversationEntry> &entries,
                                         const std::vector<FolderEntry> &folders, const QDate &today)
{
    m_entries = entries;
    m_folders = folders;
    m_today = today;
    rebuild();
}

void ConversationModel::setExpanded(FolderId folder, bool expanded)
{
    if (expanded)
        m_closed.erase(folder);
    else
        m_closed.insert(folder);
    rebuild();
}

void ConversationModel::addFolder(std::vector<Row> &rows, const FolderEntry &folder) const
{
    Row top;
    top.entry = heading(folder.name);
    top.entry.folder = folder.id;
    top.expanded = !m_closed.contains(folder.id);
    const std::size_t place = rows.size();
    rows.push_back(top);
    for (const ConversationEntry &entry : m_entries) {
        if (entry.pinned || entry.folder != folder.id)
            continue;
        ++rows[place].count;
        if (top.expanded)
            rows.push_back({entry});
    }
}

void ConversationModel::rebuild()
{
    std::vector<Row> rows;
    for (const ConversationEntry &entry : m_entries) {
        if (!entry.pinned)
            continue;
        if (rows.empty())
            rows.push_back({heading(tr("Pinned"))});
        rows.push_back({entry});
    }
    for (const FolderEntry &folder : m_folders)
        addFolder(rows, folder);
    QString group;
    for (const ConversationEntry &entry : m_entries) {
        if (entry.pinned || entry.folder != 0)
            continue;
        const QString next = dateGroupOf(entry, m_today);
        if (next != group)
            rows.push_back({heading(next)});
        group = next;
        rows.push_back({entry});
    }
    setRows(std::move(rows));
}

void ConversationModel::setResults(const std::vector<ConversationEntry> &entries)
{
    std::vector<Row> rows{{heading(entries.empty() ? tr("Nothing found") : tr("Found"))}};
    for (const ConversationEntry &entry : entries)
        rows.push_back({entry});
    setRows(std::move(rows));
}

void ConversationModel::setRows(std::vector<Row> rows)
{
    // The list is renewed whenever something was stored; mostly nothing that it shows has changed.
    if (rows == m_rows)
        return;
    beginResetModel();
    m_rows = std::move(rows);
    endResetModel();
}

int ConversationModel::rowOf(ConversationId id) const
{
    const auto found =
        std::find_if(m_rows.begin(), m_rows.end(), [id](const Row &row) { return row.entry.id == id; });
    return id == 0 || found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

QString ConversationModel::titleOf(ConversationId id) const
{
    const auto found = std::find_if(m_entries.begin(), m_entries.end(),
                                    [id](const ConversationEntry &entry) { return entry.id == id; });
    return id == 0 || found == m_entries.end() ? QString() : found->title;
}

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/conversations/conversation_model.h"

#include <QLocale>

#include <algorithm>

namespace bathyscope::ui {

namespace {

QString groupOf(const ConversationEntry &entry, const QDate &today)
{
    if (entry.pinned)
        return ConversationModel::tr("Pinned");
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
    const ConversationEntry &entry = m_rows[static_cast<std::size_t>(index.row())];
    const bool heading = entry.id == 0;
    switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole:
        return entry.title;
    case Qt::AccessibleTextRole:
        return heading ? tr("Group %1").arg(entry.title) : entry.title;
    case Qt::ToolTipRole:
        return heading ? QVariant() : QLocale().toString(entry.updated, QLocale::LongFormat);
    case IdRole:
        return QVariant::fromValue(static_cast<qint64>(entry.id));
    case HeadingRole:
        return heading;
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
    ConversationEntry &entry = m_rows[static_cast<std::size_t>(index.row())];
    const QString title = value.toString().simplified();
    if (entry.id == 0 || title.isEmpty() || title == entry.title)
        return false;
    entry.title = title;
    emit dataChanged(index, index, {Qt::DisplayRole, Qt::EditRole, Qt::AccessibleTextRole});
    emit renamed(entry.id, title);
    return true;
}

Qt::ItemFlags ConversationModel::flags(const QModelIndex &index) const
{
    if (!index.isValid() || index.data(HeadingRole).toBool())
        return Qt::NoItemFlags;
    return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsEditable | Qt::ItemNeverHasChildren;
}

QHash<int, QByteArray> ConversationModel::roleNames() const
{
    QHash<int, QByteArray> names = QAbstractListModel::roleNames();
    names.insert(
        {{IdRole, "id"}, {HeadingRole, "heading"}, {PinnedRole, "pinned"}, {SnippetRole, "snippet"}});
    return names;
}

void ConversationModel::setConversations(const std::vector<ConversationEntry> &entries, const QDate &today)
{
    std::vector<ConversationEntry> rows;
    QString group;
    for (const ConversationEntry &entry : entries) {
        const QString next = groupOf(entry, today);
        if (next != group)
            rows.push_back(heading(next));
        group = next;
        rows.push_back(entry);
    }
    setRows(std::move(rows));
}

void ConversationModel::setResults(const std::vector<ConversationEntry> &entries)
{
    std::vector<ConversationEntry> rows = entries;
    rows.insert(rows.begin(), heading(entries.empty() ? tr("Nothing found") : tr("Found")));
    setRows(std::move(rows));
}

void ConversationModel::setRows(std::vector<ConversationEntry> rows)
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
    const auto found = std::find_if(m_rows.begin(), m_rows.end(),
                                    [id](const ConversationEntry &entry) { return entry.id == id; });
    return id == 0 || found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stored conversations as an item model: headings (Pinned, Today, Yesterday, …) and conversations, in one
// flat list.
#pragma once

#include <QAbstractListModel>
#include <QDateTime>
#include <QString>

#include <cstdint>
#include <vector>

namespace bathyscope::ui {

using ConversationId = std::int64_t;

/// One conversation, or one that a search has found.
struct ConversationEntry {
    ConversationId id = 0;
    QString title;
    QDateTime updated; ///< of the newest message
    bool pinned = false;
    /// Of a search: the words around the match, each match between U+0002 and U+0003. Empty in the full list.
    QString snippet;

    bool operator==(const ConversationEntry &) const = default;
};

class ConversationModel : public QAbstractListModel {
    Q_OBJECT

public:
    enum Role {
        IdRole = Qt::UserRole + 1, ///< qint64; 0 for a heading
        HeadingRole, ///< bool
        PinnedRole, ///< bool
        SnippetRole ///< QString with U+0002 and U+0003 around each match
    };

    using QAbstractListModel::QAbstractListModel;

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    /// Qt::EditRole renames: emits renamed(); the new title comes back with the next list.
    bool setData(const QModelIndex &index, const QVariant &value, int role) override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex &index) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

    /// Groups entries by their date, seen from `today`. Entries come in the order in which they are shown.
    void setConversations(const std::vector<ConversationEntry> &entries, const QDate &today);
    /// Shows what a search has found, under one heading.
    void setResults(const std::vector<ConversationEntry> &entries);

    [[nodiscard]] int rowOf(ConversationId id) const; ///< -1 when there is none

signals:
    void renamed(bathyscope::ui::ConversationId id, const QString &title);

private:
    void setRows(std::vector<ConversationEntry> rows);

    std::vector<ConversationEntry> m_rows; ///< an entry with id 0 is a heading
};

} // namespace bathyscope::ui

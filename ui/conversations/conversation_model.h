// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stored conversations as an item model: headings (Pinned, the folders, Today, Yesterday, …) and
// conversations, in one flat list.
#pragma once

#include <QAbstractListModel>
#include <QDateTime>
#include <QString>

#include <cstdint>
#include <set>
#include <vector>

namespace bathyscope::ui {

using ConversationId = std::int64_t;
using FolderId = std::int64_t;

struct FolderEntry {
    FolderId id = 0;
    QString name;

    bool operator==(const FolderEntry &) const = default;
};

/// One conversation, or one that a search has found.
struct ConversationEntry {
    ConversationId id = 0;
    QString title;
    QDateTime updated; ///< of the newest message
    bool pinned = false;
    FolderId folder = 0; ///< 0: in none
    /// Of a search: the message that matched; 0: the title did.
    std::int64_t message = 0;
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
        FolderRole, ///< qint64: of a folder's heading or of a conversation in it; 0: none
        ExpandedRole, ///< bool, of a folder's heading
        CountRole, ///< int, of a folder's heading: conversations in it
        MessageRole, ///< qint64, of a search's result: the message that matched; 0: the title did
        PinnedRole, ///< bool
        SnippetRole ///< QString with U+0002 and U+0003 around each match
    };

    using QAbstractListModel::QAbstractListModel;

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    /// Qt::EditRole renames: emits renamed() or folderRenamed(); the new name comes back with the next list.
    bool setData(const QModelIndex &index, const QVariant &value, int role) override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex &index) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

    /// Shows the pinned ones, those in folders, and the others by their date, seen from `today`; within a
    /// group they stay in the order in which they come. Pinned ones do not stand in their folder, too.
    void setConversations(const std::vector<ConversationEntry> &entries,
                          const std::vector<FolderEntry> &folders, const QDate &today);
    /// Shows what a search has found, under one heading.
    void setResults(const std::vector<ConversationEntry> &entries);

    [[nodiscard]] int rowOf(ConversationId id) const; ///< -1 when it is not shown
    /// Of a conversation that is listed, shown or in a closed folder; empty otherwise.
    [[nodiscard]] QString titleOf(ConversationId id) const;
    [[nodiscard]] const std::vector<FolderEntry> &folders() const { return m_folders; }
    void setExpanded(FolderId folder, bool expanded);

signals:
    void renamed(bathyscope::ui::ConversationId id, const QString &title);
    void folderRenamed(bathyscope::ui::FolderId id, const QString &name);

private:
    /// A heading when its entry has no id.
    struct Row {
        ConversationEntry entry;
        int count = 0; ///< of a folder's heading
        bool expanded = true; ///< of a folder's heading

        bool operator==(const Row &) const = default;
    };
    void addFolder(std::vector<Row> &rows, const FolderEntry &folder) const;
    void rebuild();
    void setRows(std::vector<Row> rows);

    std::vector<ConversationEntry> m_entries; ///< of the full list
    std::vector<FolderEntry> m_folders;
    QDate m_today;
    std::set<FolderId> m_closed;
    std::vector<Row> m_rows;
};

} // namespace bathyscope::ui

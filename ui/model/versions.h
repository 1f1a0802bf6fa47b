// SPDX-License-Identifier: GPL-3.0-or-later
//
// The versions of the replies shown, and which of them are set side by side.
#pragma once

#include "ui/model/reply_version.h"

#include <QObject>

#include <map>

namespace bathyscope::ui {

/// Two versions of a reply: the one shown, and another beside it. Indices into `all`.
struct VersionPair {
    ReplyVersions all; ///< null: the reply has no other version
    int shown = 0;
    int other = 0;

    [[nodiscard]] explicit operator bool() const { return all != nullptr; }
    [[nodiscard]] const ChatMessage &shownReply() const { return (*all)[static_cast<std::size_t>(shown)]; }
    [[nodiscard]] const ChatMessage &otherReply() const { return (*all)[static_cast<std::size_t>(other)]; }
    bool operator==(const VersionPair &) const = default;
};

class Versions : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    void add(const ReplyVersions &versions); ///< of one question, in the place of those known before
    void clear();
    /// Of a reply with at least one other version. Beside it stands the one that setOther() chose, else the
    /// one before it, else the next one.
    [[nodiscard]] VersionPair pairOf(MessageId reply) const;
    void setOther(MessageId reply, int version);

signals:
    void changed();

private:
    struct Known {
        ReplyVersions versions;
        int other = -1; ///< -1: not chosen
    };

    std::map<MessageId, Known> m_known; ///< by the oldest version
};

} // namespace bathyscope::ui

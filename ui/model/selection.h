// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/model/chat_message.h"

#include <QObject>

#include <optional>

namespace bathyscope::ui {

/// A token of a reply: index into ChatMessage::tokens.
struct TokenPosition {
    MessageId message = 0;
    int token = 0;

    bool operator==(const TokenPosition &) const = default;
};

/// The one selected token that every view shows and can set.
class Selection : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    [[nodiscard]] const std::optional<TokenPosition> &token() const { return m_token; }
    void setToken(std::optional<TokenPosition> token)
    {
        if (m_token == token)
            return;
        m_token = token;
        emit changed();
    }

signals:
    void changed();

private:
    std::optional<TokenPosition> m_token;
};

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
//
// A page of the inspector: one way to look at the token, or the answer, that is shown.
#pragma once

#include "ui/model/chat_message.h"

#include <QWidget>

#include <memory>

class QAbstractItemModel;

namespace bathyscope::ui {

/// What is looked at. The message is valid during the call only.
struct Inspected {
    const ChatMessage &message; ///< a reply
    int token = 0; ///< a valid index into its tokens
    std::shared_ptr<const ModelInfo> model; ///< that wrote it; nullptr when it is not known

    [[nodiscard]] const TokenRecord &record() const
    {
        return message.tokens[static_cast<std::size_t>(token)];
    }
};

class InspectorPage : public QWidget {
    Q_OBJECT

public:
    using QWidget::QWidget;

    /// Whether the page has something to show while nothing is looked at.
    [[nodiscard]] virtual bool needsToken() const { return true; }

    /// The page's main table, for export; nullptr where it has none.
    [[nodiscard]] virtual const QAbstractItemModel *table() const { return nullptr; }

    /// Called while the page is in sight, whenever something else is looked at or the reply has grown.
    virtual void inspect(const Inspected &shown) = 0;
    /// Nothing is looked at any more: another conversation, say.
    virtual void clear() = 0;

signals:
    /// The token shown is to be compared with others, or none.
    void pinRequested(bool pin);
};

} // namespace bathyscope::ui

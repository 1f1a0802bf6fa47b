// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/chat_accessible.h"

#include "ui/chat/chat_view.h"
#include "ui/chat/message_text.h"

#include <QAccessibleWidget>

#include <map>
#include <memory>

namespace bathyscope::ui {

namespace {

/// One message, as a child of the view.
class MessageInterface : public QAccessibleInterface {
public:
    MessageInterface(ChatView *view, MessageId id)
        : m_view(view)
        , m_id(id)
    {
    }

    [[nodiscard]] bool isValid() const override { return message() != nullptr; }
    [[nodiscard]] QObject *object() const override { return nullptr; }
    [[nodiscard]] QWindow *window() const override { return m_view->window()->windowHandle(); }
    [[nodiscard]] QAccessibleInterface *parent() const override
    {
        return QAccessible::queryAccessibleInterface(m_view);
    }
    [[nodiscard]] QAccessibleInterface *child(int /*index*/) const override { return nullptr; }
    [[nodiscard]] QAccessibleInterface *childAt(int /*x*/, int /*y*/) const override { return nullptr; }
    [[nodiscard]] int childCount() const override { return 0; }
    [[nodiscard]] int indexOfChild(const QAccessibleInterface * /*child*/) const override { return -1; }
    void setText(QAccessible::Text /*kind*/, const QString & /*text*/) override { }
    [[nodiscard]] QAccessible::Role role() const override { return QAccessible::ListItem; }

    [[nodiscard]] QRect rect() const override
    {
        const QRect inView = m_view->messageRect(m_view->model()->rowOf(m_id));
        return {m_view->viewport()->mapToGlobal(inView.topLeft()), inView.size()};
    }

    [[nodiscard]] QAccessible::State state() const override
    {
        QAccessible::State state;
        state.readOnly = true;
        state.busy = isValid() && message()->isRunning();
        return state;
    }

    [[nodiscard]] QString text(QAccessible::Text kind) const override
    {
        const ChatMessage *shown = message();
        if (shown == nullptr)
            return {};
        if (kind == QAccessible::Name)
            return shown->role == Role::Assistant ? QStringLiteral("Reply") : QStringLiteral("You");
        if (kind == QAccessible::Description)
            return messagetext::status(*shown);
        return kind == QAccessible::Value ? messagetext::source(*shown) : QString();
    }

private:
    [[nodiscard]] const ChatMessage *message() const { return m_view->model()->find(m_id); }

    ChatView *m_view;
    MessageId m_id;
};

class ChatInterface : public QAccessibleWidget {
public:
    explicit ChatInterface(ChatView *view)
        : QAccessibleWidget(view, QAccessible::List)
        , m_view(view)
    {
    }

    ~ChatInterface() override
    {
        for (const auto &[id, accessible] : m_children)
            QAccessible::deleteAccessibleInterface(accessible);
    }

    [[nodiscard]] int childCount() const override { return m_view->model()->rowCount(); }

    [[nodiscard]] QAccessibleInterface *child(int index) const override
    {
        if (index < 0 || index >= childCount())
            return nullptr;
        const MessageId id = m_view->model()->message(index).id;
        const auto known = m_children.find(id);
        if (known != m_children.end())
            return QAccessible::accessibleInterface(known->second);
        // Owned by the cache of Qt, until it is deleted by its id.
        const QAccessible::Id created =
            QAccessible::registerAccessibleInterface(new MessageInterface(m_view, id));
        m_children.emplace(id, created);
        return QAccessible::accessibleInterface(created);
    }

    [[nodiscard]] QAccessibleInterface *childAt(int x, int y) const override
    {
        for (int row = 0; row < childCount(); ++row) {
            if (child(row)->rect().contains(x, y))
                return child(row);
        }
        return nullptr;
    }

    [[nodiscard]] int indexOfChild(const QAccessibleInterface *sought) const override
    {
        for (int row = 0; row < childCount(); ++row) {
            if (child(row) == sought)
                return row;
        }
        return -1;
    }

private:
    ChatView *m_view;
    mutable std::map<MessageId, QAccessible::Id> m_children;
};

QAccessibleInterface *createChatInterface(const QString & /*className*/, QObject *object)
{
    auto *view = qobject_cast<ChatView *>(object);
    return view != nullptr ? new ChatInterface(view) : nullptr;
}

} // namespace

void installChatAccessibility()
{
    QAccessible::installFactory(createChatInterface);
}

} // namespace bathyscope::ui

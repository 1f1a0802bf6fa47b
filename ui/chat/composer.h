// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/model/chat_message.h"

#include <QWidget>

#include <optional>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace bathyscope::ui {

/// Where prompts are written. Enter sends, Shift+Enter begins a new line, Escape stops a running reply or
/// leaves the editing of an older message.
class Composer : public QWidget {
    Q_OBJECT

public:
    explicit Composer(QWidget *parent = nullptr);

    [[nodiscard]] QString text() const;
    void setText(const QString &text);
    void setPlaceholder(const QString &text);

    void setRunning(bool running); ///< a reply is being written: Send becomes Stop
    [[nodiscard]] bool isRunning() const { return m_running; }
    /// Nothing can be sent, and why; an empty reason makes it usable again.
    void setDisabledReason(const QString &reason);

    /// Edits an older message; what was being written comes back afterwards.
    void beginEdit(MessageId id, const QString &text);
    void cancelEdit();
    [[nodiscard]] bool isEditing() const { return m_editing.has_value(); }

signals:
    void submitted(const QString &text);
    void editSubmitted(bathyscope::ui::MessageId id, const QString &text);
    void editCancelled();
    void stopRequested();

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void changeEvent(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;

private:
    void send();
    void press();
    bool escape();
    void endEdit();
    void updateButtons();
    void updateHeight();
    void applyColors();
    [[nodiscard]] QRect box() const; ///< the rounded field, as wide as the text of the chat

    QPlainTextEdit *m_edit;
    QPushButton *m_button;
    QPushButton *m_cancel;
    QLabel *m_hint; ///< above the field: editing, or why nothing can be sent
    QString m_placeholder;
    QString m_reason;
    QString m_draft; ///< kept while another message is edited
    std::optional<MessageId> m_editing;
    bool m_running = false;
};

} // namespace bathyscope::ui

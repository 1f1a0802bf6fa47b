// SPDX-License-Identifier: GPL-3.0-or-later
//
// The whole text of one version of an answer, with what it has in common with another one.
#pragma once

#include "ui/model/chat_message.h"

#include <QTextEdit>

#include <vector>

namespace bathyscope::ui {

/// The shared beginning steps back, what differs is underlined, and one token is marked. A click asks for the
/// token under it.
class VersionText : public QTextEdit {
    Q_OBJECT

public:
    VersionText(const QString &name, QWidget *parent);

    /// `fork`: the first token that is not shared; `differs` [tokens]: which are not the other version's.
    void setVersion(const ChatMessage &version, int fork, std::vector<bool> differs);
    void markToken(int token); ///< scrolls to it; -1: none

    [[nodiscard]] int markedToken() const { return m_marked; }
    /// The token that the character at a place belongs to; -1: none.
    [[nodiscard]] int tokenAt(int character) const;

signals:
    void tokenPicked(int token);

protected:
    void mouseReleaseEvent(QMouseEvent *event) override;
    void changeEvent(QEvent *event) override;

private:
    void write();
    [[nodiscard]] QTextCharFormat formatOf(int token) const;

    std::vector<std::string> m_bytes; ///< [tokens] empty for markers
    std::vector<Section> m_sections; ///< [tokens]
    std::vector<bool> m_differs; ///< [tokens]
    std::vector<int> m_starts; ///< [tokens] character at which each begins
    int m_fork = 0;
    int m_marked = -1;
};

} // namespace bathyscope::ui

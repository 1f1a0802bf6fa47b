// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStringList>
#include <QWidget>

class QLabel;
class QVBoxLayout;

namespace bathyscope::ui {

/// What a conversation without messages shows: what to do next, and prompts to begin with.
class EmptyState : public QWidget {
    Q_OBJECT

public:
    explicit EmptyState(QWidget *parent);

    void setText(const QString &sentence);
    void setExamples(const QStringList &prompts);

signals:
    void picked(const QString &prompt);

protected:
    void changeEvent(QEvent *event) override;

private:
    void applyColors();

    QLabel *m_sentence;
    QWidget *m_chips;
    QVBoxLayout *m_chipLayout;
};

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QLabel;

namespace bathyscope::ui {

/// A sentence across the window. It stays until it is dismissed or the next one takes its place; one about
/// something that lasts cannot be dismissed: it goes when that is over.
class Banner : public QWidget {
    Q_OBJECT

public:
    enum class Kind { Error, LastingError, Notice, LastingNotice };

    explicit Banner(Kind kind, QWidget *parent = nullptr);

    void show(const QString &text);
    void showWhile(const QString &text); ///< empty: it is over
    [[nodiscard]] QString text() const; ///< empty: it is hidden

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    Kind m_kind;
    QLabel *m_text;
};

} // namespace bathyscope::ui

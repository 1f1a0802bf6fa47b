// SPDX-License-Identifier: GPL-3.0-or-later
//
// The versions of an answer: their tree, and one beside the version shown.
#pragma once

#include "ui/model/reply_version.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QTableView;

namespace bathyscope::ui {

class ForkComparison;
class ForkMap;

class ForkView : public QWidget {
    Q_OBJECT

public:
    explicit ForkView(QWidget *parent = nullptr);

    /// Hidden unless there are at least two versions and `shown` is one of them.
    void setVersions(const ReplyVersions &versions, MessageId shown, int expertsPerToken);

    [[nodiscard]] ForkMap *map() const { return m_map; }
    [[nodiscard]] ForkComparison *comparison() const { return m_comparison; }

signals:
    /// The version that many places after the shown one is wanted.
    void siblingRequested(bathyscope::ui::MessageId shown, int delta);

private:
    void compare();

    ReplyVersions m_versions;
    MessageId m_shown = 0;
    int m_current = 0;
    int m_expertsPerToken = 0;
    ForkMap *m_map;
    QComboBox *m_other;
    QLabel *m_texts;
    ForkComparison *m_comparison;
    QTableView *m_table;
};

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
//
// The versions of an answer: their tree, and one beside the version shown, with its whole text, how likely it
// was, and how it was routed from where they part.
#pragma once

#include "ui/model/selection.h"
#include "ui/model/versions.h"

#include <QWidget>

class QComboBox;
class QLabel;

namespace bathyscope::ui {

class ForkComparison;
class ForkMap;
class PlainTable;
class ScoreGrid;
class VersionText;

/// Both texts and the table follow the selected token, and a click in them selects.
class ForkView : public QWidget {
    Q_OBJECT

public:
    /// Both must outlive the view.
    ForkView(Selection *selection, Versions *versions, QWidget *parent = nullptr);

    /// Hidden unless the reply has another version. To be called again when the selection or the versions
    /// have changed.
    void setReply(MessageId reply, int expertsPerToken);

    [[nodiscard]] ForkMap *map() const { return m_map; }
    [[nodiscard]] ForkComparison *comparison() const { return m_comparison; }
    [[nodiscard]] VersionText *text(bool ofShown) const { return ofShown ? m_left : m_right; }
    [[nodiscard]] QString summary() const;

signals:
    /// The version that many places after the shown one is wanted.
    void siblingRequested(bathyscope::ui::MessageId shown, int delta);

private:
    void build();
    void showPair();
    void showTexts();
    void showScores();
    void followSelection();
    void pickRow(int row);
    void pickOther(int token);
    void markRow(int row);

    Selection *m_selection;
    Versions *m_versions;
    MessageId m_reply = 0;
    VersionPair m_pair;
    int m_expertsPerToken = 0;
    ForkMap *m_map;
    QComboBox *m_other;
    QLabel *m_summary;
    ScoreGrid *m_scores;
    VersionText *m_left;
    VersionText *m_right;
    ForkComparison *m_comparison;
    PlainTable *m_table;
};

} // namespace bathyscope::ui

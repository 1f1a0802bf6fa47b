// SPDX-License-Identifier: GPL-3.0-or-later
//
// Any text, token by token, as likely as the model finds it; nothing is written on.
#pragma once

#include "ui/inspector/score_model.h"
#include "ui/model/analysis_source.h"

#include <QWidget>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace bathyscope::ui {

class PlainTable;

class ScorePanel : public QWidget {
    Q_OBJECT

public:
    explicit ScorePanel(QWidget *parent = nullptr);

    void setSource(AnalysisSource *source); ///< may be null; must outlive the panel
    [[nodiscard]] ScoreModel *model() const { return m_model; }
    [[nodiscard]] QString summary() const;
    void score(const QString &text);

private:
    void onAnswered(std::int64_t question, const std::shared_ptr<const Analysis> &analysis);

    AnalysisSource *m_source = nullptr;
    std::int64_t m_question = 0;
    ScoreModel *m_model;
    QPlainTextEdit *m_text;
    QPushButton *m_button;
    QLabel *m_summary;
    PlainTable *m_table;
};

} // namespace bathyscope::ui

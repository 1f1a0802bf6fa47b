// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/inspector/answer_statistics.h"

#include <QWidget>

#include <vector>

class QLabel;

namespace bathyscope::ui {

/// Tokens, bits each and perplexity of several texts, one below the other. Derived from log-probabilities.
class ScoreGrid : public QWidget {
    Q_OBJECT

public:
    ScoreGrid(const QStringList &names, QWidget *parent);

    void setName(int row, const QString &name);
    void setScore(int row, const TextScore &score);
    [[nodiscard]] QString perplexity(int row) const; ///< "1.02"; "–" of no tokens

private:
    struct Row {
        QLabel *name = nullptr;
        QLabel *tokens = nullptr;
        QLabel *bits = nullptr;
        QLabel *perplexity = nullptr;
    };

    std::vector<Row> m_rows;
};

} // namespace bathyscope::ui

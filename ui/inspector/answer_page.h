// SPDX-License-Identifier: GPL-3.0-or-later
//
// The whole answer: where the model was surprised, how likely it found its parts, and any other text.
#pragma once

#include "ui/inspector/answer_statistics.h"
#include "ui/inspector/inspector_page.h"
#include "ui/model/reply_version.h"
#include "ui/model/selection.h"

class QGridLayout;
class QLabel;

namespace bathyscope::ui {

class AnalysisSource;
class AnswerStrip;
class ForkView;
class ScorePanel;

class AnswerPage : public InspectorPage {
    Q_OBJECT

public:
    explicit AnswerPage(Selection *selection, QWidget *parent = nullptr);

    void inspect(const Inspected &shown) override;
    void clear() override;
    void setSource(AnalysisSource *source);
    /// Of a reply that may be shown now or later.
    void setVersions(const ReplyVersions &versions);

    [[nodiscard]] AnswerStrip *strip() const { return m_strip; }
    [[nodiscard]] ScorePanel *scorePanel() const { return m_score; }
    [[nodiscard]] ForkView *forks() const { return m_forks; }
    /// "1.02" of the part, "–" when it has no tokens.
    enum class Part { Selection, Reasoning, Answer };
    [[nodiscard]] QString perplexity(Part part) const;

private:
    struct Row {
        QLabel *tokens = nullptr;
        QLabel *bits = nullptr;
        QLabel *perplexity = nullptr;
    };

    Row addRow(QGridLayout *grid, const QString &name);
    static void showScore(const Row &row, const TextScore &score);

    Selection *m_selection;
    AnswerStrip *m_strip;
    QLabel *m_readout;
    Row m_rows[3]; ///< by Part
    ForkView *m_forks;
    ReplyVersions m_versions;
    int m_expertsPerToken = 0;
    ScorePanel *m_score;
    MessageId m_message = 0; ///< that the sections were counted of
    std::size_t m_counted = 0;
    TextScore m_reasoning;
    TextScore m_answer;
};

} // namespace bathyscope::ui

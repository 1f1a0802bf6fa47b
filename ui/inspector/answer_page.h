// SPDX-License-Identifier: GPL-3.0-or-later
//
// The whole answer: where the model was surprised, how likely it found its parts, and any other text.
#pragma once

#include "ui/inspector/answer_statistics.h"
#include "ui/inspector/inspector_page.h"
#include "ui/model/selection.h"
#include "ui/model/versions.h"

class QLabel;

namespace bathyscope::ui {

class AnalysisSource;
class AnswerStrip;
class EntropyReader;
class ForkView;
class ScoreGrid;
class ScorePanel;

class AnswerPage : public InspectorPage {
    Q_OBJECT

public:
    /// Both must outlive the page.
    AnswerPage(Selection *selection, Versions *versions, QWidget *parent = nullptr);

    void inspect(const Inspected &shown) override;
    void clear() override;
    void setSource(AnalysisSource *source);

    [[nodiscard]] AnswerStrip *strip() const { return m_strip; }
    [[nodiscard]] ScorePanel *scorePanel() const { return m_score; }
    [[nodiscard]] ForkView *forks() const { return m_forks; }
    /// "1.02" of the part, "–" when it has no tokens.
    enum class Part { Selection, Reasoning, Answer };
    [[nodiscard]] QString perplexity(Part part) const;

private:
    Selection *m_selection;
    AnswerStrip *m_strip;
    QLabel *m_readout;
    ScoreGrid *m_parts; ///< by Part
    ForkView *m_forks;
    ScorePanel *m_score;
    EntropyReader *m_entropies;
    MessageId m_message = 0; ///< that the sections were counted of
    std::size_t m_counted = 0;
    TextScore m_reasoning;
    TextScore m_answer;
};

} // namespace bathyscope::ui

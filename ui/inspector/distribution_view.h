// SPDX-License-Identifier: GPL-3.0-or-later
//
// The distribution at one token: the model's or what the sampler left of it, as far down as is wanted, with
// a search in the whole vocabulary and the ways to go on from here.
#pragma once

#include "ui/inspector/candidate_model.h"
#include "ui/inspector/inspector_page.h"
#include "ui/model/analysis_source.h"
#include "ui/model/selection.h"

#include <QTimer>

#include <optional>

class QButtonGroup;
class QComboBox;
class QLabel;
class QLineEdit;
class QToolButton;

namespace bathyscope::ui {

class CandidateView;
class RankView;

/// What was recorded is shown at once; the rest is asked for when the token stays for a moment.
class DistributionView : public QWidget {
    Q_OBJECT

public:
    /// The selection must outlive the view.
    explicit DistributionView(Selection *selection, QWidget *parent = nullptr);

    void setSource(AnalysisSource *source); ///< may be null; must outlive the view
    void inspect(const Inspected &shown);
    void clear();

    [[nodiscard]] CandidateModel *candidates() const { return m_model; }
    [[nodiscard]] CandidateModel *found() const { return m_found; }
    [[nodiscard]] RankView *ranks() const { return m_rankView; }
    [[nodiscard]] QString note() const; ///< where the numbers come from
    void setState(CandidateModel::State state);
    void setRankCount(int count); ///< 20 to 1,000
    void search(const QString &text);

signals:
    void pinRequested(bool pin);
    /// The entropy of the token shown was measured: bits, of the whole distribution.
    void entropyMeasured(double bits);
    /// Answer anew from the tokens before `at` and this one.
    void forkRequested(const bathyscope::ui::TokenPosition &at, bathyscope::TokenId token);
    void forkTextRequested(const bathyscope::ui::TokenPosition &at, const QString &text);

private:
    void buildControls();
    void connectControls();
    void ask();
    void onAnswered(std::int64_t question, const std::shared_ptr<const Analysis> &analysis);
    void refresh();
    void refreshNote();
    void refreshFound();
    [[nodiscard]] const PositionAnalysis *measured() const;
    [[nodiscard]] QString samplerNote(const SamplerOutcome &outcome) const;

    AnalysisSource *m_source = nullptr;
    std::optional<TokenPosition> m_at;
    TokenRecord m_record;
    std::shared_ptr<const ModelInfo> m_modelInfo;
    bool m_running = false;
    std::int64_t m_question = 0; ///< not answered yet; 0: none
    std::shared_ptr<const Analysis> m_analysis; ///< of m_at
    std::vector<TokenId> m_wanted; ///< found in the vocabulary
    int m_rankCount = 20;
    QTimer m_askTimer;

    CandidateModel *m_model;
    CandidateModel *m_found;
    QToolButton *m_modelButton;
    QToolButton *m_samplerButton;
    QComboBox *m_ranks;
    CandidateView *m_table;
    QLabel *m_note;
    QLineEdit *m_search;
    CandidateView *m_foundTable;
    QLineEdit *m_ownText;
    RankView *m_rankView;
};

} // namespace bathyscope::ui

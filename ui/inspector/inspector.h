// SPDX-License-Identifier: GPL-3.0-or-later
//
// The frame of the inspector: it finds the token to look at and shows it on the page in front.
#pragma once

#include "ui/model/chat_model.h"
#include "ui/model/selection.h"
#include "ui/model/versions.h"

#include <QStringList>
#include <QTimer>
#include <QWidget>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

class QHBoxLayout;
class QLabel;
class QMenu;
class QStackedLayout;
class QStackedWidget;
class QTabBar;

namespace bathyscope::ui {

class AnalysisSource;
class AnswerPage;
class CandidateModel;
class ExpertsPage;
class InspectorPage;
class MemoryPage;
class TokenPage;

/// Shows the selected token; while nothing is selected, the newest one of the reply that is being written.
/// Left and right walk from token to token (with Alt also inside the heatmap). Does nothing while hidden.
class Inspector : public QWidget {
    Q_OBJECT

public:
    using ModelProvider = std::function<std::shared_ptr<const ModelInfo>(MessageId)>;

    /// Both must outlive the inspector.
    Inspector(ChatModel *chat, Selection *selection, QWidget *parent = nullptr);

    /// The model of every message that the provider knows none for.
    void setModel(const ModelInfo &model);
    /// Tells which model wrote a message; may return null.
    void setModelProvider(ModelProvider provider);
    /// Shows only `reason`, for a backend that cannot feed the inspector; empty: available again.
    void setUnavailable(const QString &reason);

    /// Where the pages ask what was not recorded; may be null; must outlive the inspector.
    void setAnalysisSource(AnalysisSource *source);
    /// All versions of a reply that may be shown now or later.
    void addVersions(const ReplyVersions &versions) { m_versions.add(versions); }
    void togglePin(); ///< the token shown, or lets go of the pinned one

    [[nodiscard]] QStringList pageTitles() const;
    [[nodiscard]] int currentPage() const;
    void setCurrentPage(int index);

    [[nodiscard]] InspectorPage *page() const { return m_pages[static_cast<std::size_t>(currentPage())]; }
    /// A button beside the tabs that opens `menu`.
    void setExportMenu(QMenu *menu);

    /// The token shown, if any.
    [[nodiscard]] std::optional<TokenPosition> shownToken() const { return m_shown; }
    [[nodiscard]] CandidateModel *candidates() const;
    [[nodiscard]] ExpertsPage *experts() const { return m_expertsPage; }
    [[nodiscard]] MemoryPage *memory() const { return m_memoryPage; }
    [[nodiscard]] TokenPage *tokenPage() const { return m_tokenPage; }
    [[nodiscard]] AnswerPage *answerPage() const { return m_answerPage; }
    [[nodiscard]] QSize sizeHint() const override { return {468, 860}; }

signals:
    /// Answer anew from the tokens of a reply before `at`, and then this one, or this text.
    void forkRequested(const bathyscope::ui::TokenPosition &at, bathyscope::TokenId token);
    void forkTextRequested(const bathyscope::ui::TokenPosition &at, const QString &text);
    void siblingRequested(bathyscope::ui::MessageId shown, int delta);

protected:
    void showEvent(QShowEvent *event) override;

private:
    void addPage(InspectorPage *page, const QString &title);
    void connectSources();
    void onTokensAppended(MessageId id, int first, int count);
    void onConversationChanged();
    void refresh();
    void refreshSoon();
    void showHint(const QString &text);
    void pin(bool wanted);
    void walk(int step);
    [[nodiscard]] std::optional<TokenPosition> wanted() const;
    [[nodiscard]] std::shared_ptr<const ModelInfo> modelOf(MessageId id) const;

    ChatModel *m_chat;
    Selection *m_selection;
    Versions m_versions;
    ModelProvider m_provider;
    std::shared_ptr<const ModelInfo> m_model;
    QString m_unavailable;

    QHBoxLayout *m_top; ///< tabs and what stands beside them
    QTabBar *m_tabs;
    QStackedWidget *m_stack;
    std::vector<InspectorPage *> m_pages; ///< in the order of the tabs
    TokenPage *m_tokenPage;
    AnswerPage *m_answerPage;
    ExpertsPage *m_expertsPage;
    MemoryPage *m_memoryPage;
    QLabel *m_hint;
    QStackedLayout *m_faces; ///< the pages, or the hint

    std::optional<TokenPosition> m_shown;
    std::optional<MessageId> m_followed; ///< the reply last written to
    QTimer m_refreshTimer;
};

} // namespace bathyscope::ui

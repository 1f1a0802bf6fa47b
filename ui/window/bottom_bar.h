// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QLabel;

namespace bathyscope::ui {

class ContextGauge;

/// What the thin bar below says. A value that is not known is 0 and not shown.
struct EngineStatus {
    int contextUsed = 0; ///< tokens
    int contextLength = 0; ///< tokens
    qint64 cacheBytes = 0; ///< of the tokens held
    bool latentCache = false; ///< the cache holds latent vectors (multi-head latent attention)
    double decodeSpeed = 0; ///< tokens/s
    double prefillSpeed = 0; ///< tokens/s

    bool operator==(const EngineStatus &) const = default;
};

enum class SaveState { Saved, Saving, NotSaved, ReadOnly };

/// The thin bar below: how full the context is, how fast it goes, whether all is stored.
class BottomBar : public QWidget {
    Q_OBJECT

public:
    explicit BottomBar(QWidget *parent = nullptr);

    void setStatus(const EngineStatus &status);
    /// `detail` says why something is not saved.
    void setSaveState(SaveState state, const QString &detail = {});

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    QLabel *addLabel(const QString &accessibleName);

    QLabel *m_context;
    ContextGauge *m_gauge;
    QLabel *m_cache;
    QLabel *m_decode;
    QLabel *m_prefill;
    QLabel *m_saved;
};

} // namespace bathyscope::ui

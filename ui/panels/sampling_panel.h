// SPDX-License-Identifier: GPL-3.0-or-later
//
// Controls of the sampler and the system prompt.
#pragma once

#include "engine/records.h"

#include <QWidget>

#include <optional>

class QCheckBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QSpinBox;
class QGridLayout;

namespace bathyscope::ui {

class SliderSpin;

class SamplingPanel : public QWidget {
    Q_OBJECT

public:
    explicit SamplingPanel(QWidget *parent = nullptr);

    /// Emits nothing.
    void setParameters(const SamplingParameters &parameters);
    [[nodiscard]] SamplingParameters parameters() const { return m_parameters; }
    /// What "Reset" goes back to: ModelInfo::defaults.
    void setDefaults(const SamplingParameters &defaults);

    /// What the model's authors advise: a line says so while the settings differ. None: nothing is known.
    struct Advice {
        SamplingParameters sampling;
        bool noSystemPrompt = false;
    };
    void setAdvice(const std::optional<Advice> &advice);

    /// Emits nothing.
    void setSystemPrompt(const QString &text);
    [[nodiscard]] QString systemPrompt() const;

signals:
    void changed(const bathyscope::SamplingParameters &parameters); ///< by the user
    void systemPromptChanged(const QString &text); ///< by the user

private:
    QWidget *buildControls();
    void buildSliders(QGridLayout *grid);
    void buildSeed(QGridLayout *grid);
    void display(const SamplingParameters &parameters);
    void edit(const SamplingParameters &parameters);
    void editSeed();
    void reset();
    void showAdvice();

    SamplingParameters m_parameters;
    SamplingParameters m_defaults;
    SliderSpin *m_temperature = nullptr;
    SliderSpin *m_topP = nullptr;
    SliderSpin *m_minP = nullptr;
    SliderSpin *m_repetition = nullptr;
    QSpinBox *m_topK = nullptr;
    QSpinBox *m_maxTokens = nullptr;
    QCheckBox *m_fixedSeed = nullptr;
    QLineEdit *m_seed = nullptr;
    QPlainTextEdit *m_systemPrompt = nullptr;
    QPushButton *m_reset = nullptr;
    QLabel *m_hint = nullptr;
    std::optional<Advice> m_advice;
};

} // namespace bathyscope::ui

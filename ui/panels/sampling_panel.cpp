// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/panels/sampling_panel.h"

#include "ui/panels/slider_spin.h"
#include "ui/theme/theme.h"

#include <QCheckBox>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRandomGenerator>
#include <QRegularExpressionValidator>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QVBoxLayout>

#include <cmath>
#include <limits>

namespace bathyscope::ui {

namespace {

void addRow(QGridLayout *grid, const QString &name, QWidget *field, const QString &explanation)
{
    const int row = grid->rowCount();
    auto *label = new QLabel(name, field->parentWidget());
    label->setToolTip(explanation);
    field->setToolTip(explanation);
    field->setAccessibleName(name);
    field->setAccessibleDescription(explanation);
    label->setBuddy(field);
    grid->addWidget(label, row, 0);
    grid->addWidget(field, row, 1);
}

QSpinBox *spinBox(QWidget *parent, const QString &zeroText)
{
    auto *spin = new QSpinBox(parent);
    spin->setRange(0, std::numeric_limits<int>::max());
    spin->setSpecialValueText(zeroText);
    spin->setFont(theme::numberFont());
    spin->setAlignment(Qt::AlignRight);
    spin->setButtonSymbols(QAbstractSpinBox::NoButtons);
    return spin;
}

} // namespace

SamplingPanel::SamplingPanel(QWidget *parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Sampling"));
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->setSpacing(8);
    auto *promptLabel = new QLabel(tr("System prompt"), this);
    promptLabel->setProperty("role", QStringLiteral("heading"));
    m_systemPrompt = new QPlainTextEdit(this);
    m_systemPrompt->setAccessibleName(tr("System prompt"));
    m_systemPrompt->setPlaceholderText(tr("None. Text here comes before every conversation."));
    m_systemPrompt->setTabChangesFocus(true);
    m_systemPrompt->setFixedHeight(96);
    promptLabel->setBuddy(m_systemPrompt);
    auto *heading = new QLabel(tr("Sampling"), this);
    heading->setProperty("role", QStringLiteral("heading"));
    m_reset = new QPushButton(tr("Reset to the model’s defaults"), this);
    layout->addWidget(heading);
    layout->addWidget(buildControls());
    m_hint = new QLabel(this);
    m_hint->setWordWrap(true);
    m_hint->setProperty("role", QStringLiteral("secondary"));
    m_hint->setAccessibleName(tr("Advice of the model’s authors"));
    m_hint->hide();
    layout->addWidget(m_reset);
    layout->addWidget(m_hint);
    layout->addSpacing(16);
    layout->addWidget(promptLabel);
    layout->addWidget(m_systemPrompt);
    layout->addStretch(1);
    connect(m_reset, &QPushButton::clicked, this, &SamplingPanel::reset);
    connect(m_systemPrompt, &QPlainTextEdit::textChanged, this, [this] {
        showAdvice();
        emit systemPromptChanged(systemPrompt());
    });
    display(m_parameters);
}

QWidget *SamplingPanel::buildControls()
{
    auto *controls = new QWidget(this);
    auto *grid = new QGridLayout(controls);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(8);
    grid->setColumnStretch(1, 1);
    buildSliders(grid);
    m_topK = spinBox(controls, tr("off"));
    addRow(grid, tr("Top-k"), m_topK, tr("Only the k most probable tokens may be chosen."));
    m_maxTokens = spinBox(controls, tr("no limit"));
    addRow(grid, tr("Longest reply"), m_maxTokens,
           tr("The reply stops after so many tokens, reasoning included."));
    connect(m_topK, &QSpinBox::valueChanged, this, [this](int value) {
        SamplingParameters next = m_parameters;
        next.topK = value;
        edit(next);
    });
    connect(m_maxTokens, &QSpinBox::valueChanged, this, [this](int value) {
        SamplingParameters next = m_parameters;
        next.maxTokens = value;
        edit(next);
    });
    buildSeed(grid);
    return controls;
}

void SamplingPanel::buildSliders(QGridLayout *grid)
{
    struct Field {
        SliderSpin *SamplingPanel::*slider;
        float SamplingParameters::*value;
        double minimum;
        double maximum;
        QString name;
        QString explanation;
    };
    const Field fields[] = {
        {&SamplingPanel::m_temperature, &SamplingParameters::temperature, 0, 2, tr("Temperature"),
         tr("How freely less probable tokens are chosen. 0 always takes the most probable one.")},
        {&SamplingPanel::m_topP, &SamplingParameters::topP, 0, 1, tr("Top-p"),
         tr("Only the most probable tokens that together reach this probability may be chosen. 1: off.")},
        {&SamplingPanel::m_minP, &SamplingParameters::minP, 0, 1, tr("Min-p"),
         tr("Tokens less probable than this share of the most probable one are left out. 0: off.")},
        {&SamplingPanel::m_repetition, &SamplingParameters::repetitionPenalty, 1, 2, tr("Repetition penalty"),
         tr("Makes tokens that were already written less probable. 1: off.")}};
    for (const Field &field : fields) {
        auto *slider = new SliderSpin(field.minimum, field.maximum, 0.05, grid->parentWidget());
        this->*field.slider = slider;
        slider->setName(field.name);
        addRow(grid, field.name, slider, field.explanation);
        connect(slider, &SliderSpin::edited, this, [this, member = field.value](double value) {
            SamplingParameters next = m_parameters;
            next.*member = static_cast<float>(value);
            edit(next);
        });
    }
}

void SamplingPanel::buildSeed(QGridLayout *grid)
{
    QWidget *parent = grid->parentWidget();
    const QString explanation = tr("With the same seed the same question gets the same reply.");
    m_fixedSeed = new QCheckBox(tr("Fixed seed"), parent);
    m_fixedSeed->setToolTip(explanation);
    m_seed = new QLineEdit(parent);
    m_seed->setFont(theme::numberFont());
    m_seed->setAlignment(Qt::AlignRight);
    m_seed->setPlaceholderText(tr("random"));
    m_seed->setAccessibleName(tr("Seed"));
    m_seed->setToolTip(explanation);
    m_seed->setValidator(
        new QRegularExpressionValidator(QRegularExpression(QStringLiteral("[0-9]{1,20}")), m_seed));
    const int row = grid->rowCount();
    grid->addWidget(m_fixedSeed, row, 0);
    grid->addWidget(m_seed, row, 1);
    connect(m_fixedSeed, &QCheckBox::toggled, this, [this](bool fixed) {
        m_seed->setEnabled(fixed);
        const QSignalBlocker blocker(m_seed);
        m_seed->setText(fixed ? QString::number(QRandomGenerator::global()->bounded(1'000'000)) : QString());
        editSeed();
    });
    connect(m_seed, &QLineEdit::textEdited, this, &SamplingPanel::editSeed);
}

void SamplingPanel::editSeed()
{
    SamplingParameters next = m_parameters;
    next.seed.reset();
    bool valid = false;
    const quint64 seed = m_seed->text().toULongLong(&valid); // too large for 64 bits is no seed
    if (m_fixedSeed->isChecked() && valid)
        next.seed = seed;
    edit(next);
}

void SamplingPanel::edit(const SamplingParameters &parameters)
{
    if (parameters == m_parameters)
        return;
    m_parameters = parameters;
    m_reset->setEnabled(m_parameters != m_defaults);
    showAdvice();
    emit changed(m_parameters);
}

void SamplingPanel::display(const SamplingParameters &parameters)
{
    const QSignalBlocker blockers[] = {QSignalBlocker(m_topK), QSignalBlocker(m_maxTokens),
                                       QSignalBlocker(m_fixedSeed), QSignalBlocker(m_seed)};
    m_temperature->setValue(static_cast<double>(parameters.temperature));
    m_topP->setValue(static_cast<double>(parameters.topP));
    m_minP->setValue(static_cast<double>(parameters.minP));
    m_repetition->setValue(static_cast<double>(parameters.repetitionPenalty));
    m_topK->setValue(parameters.topK);
    m_maxTokens->setValue(parameters.maxTokens);
    m_fixedSeed->setChecked(parameters.seed.has_value());
    m_seed->setEnabled(parameters.seed.has_value());
    m_seed->setText(parameters.seed ? QString::number(*parameters.seed) : QString());
    m_reset->setEnabled(parameters != m_defaults);
}

void SamplingPanel::setParameters(const SamplingParameters &parameters)
{
    m_parameters = parameters;
    display(parameters);
    showAdvice();
}

void SamplingPanel::setAdvice(const std::optional<Advice> &advice)
{
    m_advice = advice;
    showAdvice();
}

void SamplingPanel::showAdvice()
{
    QStringList differences;
    if (m_advice) {
        const SamplingParameters &advised = m_advice->sampling;
        const auto differs = [](float a, float b) { return std::abs(a - b) > 1e-3F; };
        const auto number = [](float value) { return QLocale().toString(double(value), 'g', 3); };
        if (differs(m_parameters.temperature, advised.temperature))
            differences << tr("temperature %1").arg(number(advised.temperature));
        if (differs(m_parameters.topP, advised.topP))
            differences << tr("top-p %1").arg(number(advised.topP));
        if (m_parameters.topK != advised.topK)
            differences << (advised.topK > 0 ? tr("top-k %1").arg(advised.topK) : tr("no top-k"));
        if (m_advice->noSystemPrompt && !systemPrompt().trimmed().isEmpty())
            differences << tr("no system prompt");
    }
    m_hint->setVisible(!differences.isEmpty());
    m_hint->setText(tr("The authors of this model advise %1.").arg(differences.join(tr(", "))));
}

void SamplingPanel::setDefaults(const SamplingParameters &defaults)
{
    m_defaults = defaults;
    m_reset->setEnabled(m_parameters != m_defaults);
}

void SamplingPanel::reset()
{
    display(m_defaults);
    edit(m_defaults);
}

void SamplingPanel::setSystemPrompt(const QString &text)
{
    const QSignalBlocker blocker(m_systemPrompt);
    m_systemPrompt->setPlainText(text);
    showAdvice();
}

QString SamplingPanel::systemPrompt() const
{
    return m_systemPrompt->toPlainText();
}

} // namespace bathyscope::ui

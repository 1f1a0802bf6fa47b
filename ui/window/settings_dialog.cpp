// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/settings_dialog.h"

#include "ui/window/format.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>

#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr int textSizes[] = {90, 100, 110, 125, 150, 175, 200};
constexpr double mostTraceGigabytes = 100'000;
constexpr double megabytesPerGigabyte = 1000;
constexpr int mostTraceDays = 36'500;

} // namespace

SettingsDialog::SettingsDialog(const Preferences &preferences, const Facts &facts, QWidget *parent)
    : QDialog(parent)
    , m_scheme(new QComboBox(this))
    , m_textSize(new QComboBox(this))
    , m_traceSize(new QDoubleSpinBox(this))
    , m_traceDays(new QSpinBox(this))
    , m_folder(new QLineEdit(preferences.historyFolder, this))
{
    setWindowTitle(tr("Settings"));
    fillChoices(preferences);
    setRanges(preferences);

    auto *traces = new QLabel(tr("Traces are what the model considered and which experts ran: now %1. The "
                                 "oldest go first, those of pinned conversations stay, and so do all words.")
                                  .arg(formatBytes(facts.traceBytes)),
                              this);
    traces->setProperty("role", "secondary");
    traces->setWordWrap(true);
    auto *note = new QLabel(tr("Text size and history folder count from the next start on."), this);
    note->setProperty("role", "secondary");
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);

    auto *form = new QFormLayout(this);
    form->setContentsMargins(24, 24, 24, 16);
    form->setHorizontalSpacing(24);
    form->setVerticalSpacing(12);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->addRow(tr("&Colours"), m_scheme);
    form->addRow(tr("&Text size"), m_textSize);
    form->addRow(tr("Traces take at &most"), m_traceSize);
    form->addRow(tr("&Keep traces for"), m_traceDays);
    form->addRow(QString(), traces);
    QLayout *folder = makeFolderRow(preferences.historyFolder, facts.ownFolder);
    form->addRow(tr("History &folder"), folder);
    qobject_cast<QLabel *>(form->labelForField(folder))->setBuddy(m_folder);
    form->addRow(QString(), note);
    form->addRow(buttons);
    resize(560, sizeHint().height());
}

void SettingsDialog::fillChoices(const Preferences &preferences)
{
    m_scheme->addItem(tr("As the system"), static_cast<int>(ColorScheme::System));
    m_scheme->addItem(tr("Light"), static_cast<int>(ColorScheme::Light));
    m_scheme->addItem(tr("Dark"), static_cast<int>(ColorScheme::Dark));
    m_scheme->setCurrentIndex(m_scheme->findData(static_cast<int>(preferences.scheme)));
    for (const int size : textSizes)
        m_textSize->addItem(tr("%1 %").arg(size), size);
    m_textSize->setCurrentIndex(m_textSize->findData(preferences.textSize));
}

void SettingsDialog::setRanges(const Preferences &preferences)
{
    m_traceSize->setRange(0, mostTraceGigabytes);
    m_traceSize->setDecimals(1);
    m_traceSize->setSingleStep(0.5);
    m_traceSize->setSuffix(tr(" GB"));
    m_traceSize->setSpecialValueText(tr("No limit"));
    m_traceSize->setValue(preferences.traceMegabytes / megabytesPerGigabyte);
    m_traceDays->setRange(0, mostTraceDays);
    m_traceDays->setSuffix(tr(" days"));
    m_traceDays->setSpecialValueText(tr("No limit"));
    m_traceDays->setValue(preferences.traceDays);
}

QLayout *SettingsDialog::makeFolderRow(const QString &folder, const QString &ownFolder)
{
    m_folder->setPlaceholderText(ownFolder);
    m_folder->setToolTip(folder.isEmpty() ? ownFolder : folder);
    auto *choose = new QPushButton(tr("Choose…"), this);
    choose->setAccessibleName(tr("Choose the history folder"));
    connect(choose, &QPushButton::clicked, this, [this] {
        const QString chosen =
            QFileDialog::getExistingDirectory(this, tr("Folder for the history"), m_folder->text());
        if (!chosen.isEmpty())
            m_folder->setText(chosen);
    });
    auto *row = new QHBoxLayout;
    row->addWidget(m_folder, 1);
    row->addWidget(choose);
    return row;
}

Preferences SettingsDialog::preferences() const
{
    return {.scheme = static_cast<ColorScheme>(m_scheme->currentData().toInt()),
            .textSize = m_textSize->currentIndex() < 0 ? 100 : m_textSize->currentData().toInt(),
            .traceMegabytes = static_cast<int>(std::lround(m_traceSize->value() * megabytesPerGigabyte)),
            .traceDays = m_traceDays->value(),
            .historyFolder = m_folder->text().trimmed()};
}

} // namespace bathyscope::ui

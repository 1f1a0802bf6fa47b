// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/settings_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QThread>

namespace bathyscope::ui {

namespace {

constexpr int textSizes[] = {90, 100, 110, 125, 150, 175, 200};
constexpr int contextStep = 512;
constexpr int contextLimitUnknown = 1 << 20;

} // namespace

SettingsDialog::SettingsDialog(const Preferences &preferences, int contextLimit, const QString &ownFolder,
                               QWidget *parent)
    : QDialog(parent)
    , m_scheme(new QComboBox(this))
    , m_textSize(new QComboBox(this))
    , m_threads(new QSpinBox(this))
    , m_contextLength(new QSpinBox(this))
    , m_folder(new QLineEdit(preferences.historyFolder, this))
{
    setWindowTitle(tr("Settings"));
    fillChoices(preferences);
    m_threads->setRange(0, QThread::idealThreadCount());
    m_threads->setSpecialValueText(tr("One for each core"));
    m_threads->setValue(preferences.threads);
    m_contextLength->setRange(0, contextLimit > 0 ? contextLimit : contextLimitUnknown);
    m_contextLength->setSingleStep(contextStep);
    m_contextLength->setGroupSeparatorShown(true);
    m_contextLength->setSuffix(tr(" tokens"));
    m_contextLength->setSpecialValueText(tr("What the model allows"));
    m_contextLength->setValue(preferences.contextLength);

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
    form->addRow(tr("T&hreads"), m_threads);
    form->addRow(tr("Context &length"), m_contextLength);
    QLayout *folder = makeFolderRow(preferences.historyFolder, ownFolder);
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
            .threads = m_threads->value(),
            .contextLength = m_contextLength->value(),
            .historyFolder = m_folder->text().trimmed()};
}

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/window/preferences.h"

#include <QDialog>

class QComboBox;
class QLineEdit;
class QSpinBox;

namespace bathyscope::ui {

class SettingsDialog : public QDialog {
    Q_OBJECT

public:
    /// `contextLimit`: tokens that the loaded model allows; 0: unknown. `ownFolder`: where the history is
    /// kept when no folder is chosen.
    SettingsDialog(const Preferences &preferences, int contextLimit, const QString &ownFolder,
                   QWidget *parent = nullptr);

    [[nodiscard]] Preferences preferences() const;

private:
    QLayout *makeFolderRow(const QString &folder, const QString &ownFolder);
    void fillChoices(const Preferences &preferences);

    QComboBox *m_scheme;
    QComboBox *m_textSize;
    QSpinBox *m_threads;
    QSpinBox *m_contextLength;
    QLineEdit *m_folder;
};

} // namespace bathyscope::ui

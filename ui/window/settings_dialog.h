// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/window/preferences.h"

#include <QDialog>
#include <QString>

class QComboBox;
class QDoubleSpinBox;
class QLineEdit;
class QSpinBox;

namespace bathyscope::ui {

class SettingsDialog : public QDialog {
    Q_OBJECT

public:
    /// What the dialog tells but does not change.
    struct Facts {
        qint64 traceBytes = 0; ///< that traces take now
        QString ownFolder = {}; ///< where the history is kept when no folder is chosen
    };

    SettingsDialog(const Preferences &preferences, const Facts &facts, QWidget *parent = nullptr);

    [[nodiscard]] Preferences preferences() const;

private:
    QLayout *makeFolderRow(const QString &folder, const QString &ownFolder);
    void fillChoices(const Preferences &preferences);
    void setRanges(const Preferences &preferences);

    QComboBox *m_scheme;
    QComboBox *m_textSize;
    QDoubleSpinBox *m_traceSize;
    QSpinBox *m_traceDays;
    QLineEdit *m_folder;
};

} // namespace bathyscope::ui

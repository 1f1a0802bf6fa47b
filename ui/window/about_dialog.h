// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>
#include <QString>

class QTextBrowser;

namespace bathyscope::ui {

/// Version, and the licences of all that the program is made of: those in its resources, and those of the
/// libraries that a package carries, as .txt files in `carried`. Each opens in the dialog.
class AboutDialog : public QDialog {
    Q_OBJECT
public:
    explicit AboutDialog(const QString &carried, QWidget *parent = nullptr);

    /// Where a package keeps the licences of the libraries it carries; there is no such folder elsewhere.
    static QString carriedLicences();

private:
    QTextBrowser *m_licences;
};

} // namespace bathyscope::ui

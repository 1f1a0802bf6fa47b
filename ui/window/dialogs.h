// SPDX-License-Identifier: GPL-3.0-or-later
//
// Small dialogs that ask or tell one thing.
#pragma once

#include <QList>
#include <QString>

class QAction;
class QUrl;
class QWidget;

namespace bathyscope::ui {

/// Shows the whole address and asks whether to open it. Nothing but http, https and mailto is offered.
bool confirmOpenLink(QWidget *parent, const QUrl &url);

/// Lists every command that has a shortcut.
void showShortcuts(QWidget *parent, const QList<QAction *> &commands);

/// A GGUF file, or one of a model's directory; empty: the user changed their mind.
QString pickModelFile(QWidget *parent);

/// What opens the model that a file belongs to: a GGUF file itself, else its directory.
QString modelOfFile(const QString &file);

/// Offers the report about a crash of the last run; it can be read, found and deleted.
void showCrashReport(QWidget *parent, const QString &file);

/// Asks whether to leave although something is not stored.
bool confirmLoss(QWidget *parent);

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/dialogs.h"

#include "ui/theme/theme.h"

#include <QAction>
#include <QCoreApplication>
#include <QDialog>
#include <QDialogButtonBox>
#include <QGridLayout>
#include <QLabel>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QUrl>

namespace bathyscope::ui {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("bathyscope::ui::Dialogs", text);
}

bool canOpen(const QUrl &url)
{
    const QString scheme = url.scheme().toLower();
    return scheme == QLatin1String("https") || scheme == QLatin1String("http")
        || scheme == QLatin1String("mailto");
}

} // namespace

bool confirmOpenLink(QWidget *parent, const QUrl &url)
{
    QDialog dialog(parent);
    dialog.setWindowTitle(tr("Open link"));
    const bool possible = canOpen(url);
    auto *question =
        new QLabel(possible ? tr("Open this address in another program?")
                            : tr("Addresses of this kind are not opened. Copy it if you trust it."),
                   &dialog);
    auto *address = new QPlainTextEdit(QString::fromUtf8(url.toEncoded()), &dialog);
    address->setReadOnly(true);
    address->setFont(theme::monoFont());
    address->setLineWrapMode(QPlainTextEdit::WidgetWidth);
    address->setWordWrapMode(QTextOption::WrapAnywhere);
    address->setAccessibleName(tr("Address of the link"));
    address->setTabChangesFocus(true);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, &dialog);
    QPushButton *open = buttons->addButton(tr("Open"), QDialogButtonBox::AcceptRole);
    open->setEnabled(possible);
    buttons->button(QDialogButtonBox::Cancel)->setDefault(true);
    QObject::connect(buttons, &QDialogButtonBox::accepted, &dialog, &QDialog::accept);
    QObject::connect(buttons, &QDialogButtonBox::rejected, &dialog, &QDialog::reject);
    auto *layout = new QVBoxLayout(&dialog);
    layout->setContentsMargins(24, 24, 24, 16);
    layout->setSpacing(12);
    layout->addWidget(question);
    layout->addWidget(address, 1);
    layout->addWidget(buttons);
    dialog.resize(520, 200);
    return dialog.exec() == QDialog::Accepted;
}

void showShortcuts(QWidget *parent, const QList<QAction *> &commands)
{
    QDialog dialog(parent);
    dialog.setWindowTitle(tr("Keyboard shortcuts"));
    auto *grid = new QGridLayout;
    grid->setHorizontalSpacing(32);
    grid->setVerticalSpacing(8);
    grid->setColumnStretch(0, 1);
    int row = 0;
    for (const QAction *command : commands) {
        if (command->shortcut().isEmpty())
            continue;
        auto *keys = new QLabel(command->shortcut().toString(QKeySequence::NativeText), &dialog);
        keys->setFont(theme::monoFont());
        keys->setProperty("role", "secondary");
        grid->addWidget(new QLabel(command->text(), &dialog), row, 0);
        grid->addWidget(keys, row, 1);
        ++row;
    }
    auto *hint = new QLabel(
        tr("In the chat: arrow keys move the selected token; Tab goes from part to part."), &dialog);
    hint->setWordWrap(true);
    hint->setProperty("role", "secondary");
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close, &dialog);
    QObject::connect(buttons, &QDialogButtonBox::rejected, &dialog, &QDialog::reject);
    auto *layout = new QVBoxLayout(&dialog);
    layout->setContentsMargins(24, 24, 24, 16);
    layout->setSpacing(16);
    layout->addLayout(grid);
    layout->addWidget(hint);
    layout->addWidget(buttons);
    dialog.exec();
}

void showAbout(QWidget *parent)
{
    QMessageBox box(QMessageBox::NoIcon, tr("About Bathyscope"),
                    QStringLiteral("<b>Bathyscope %1</b>").arg(QCoreApplication::applicationVersion()),
                    QMessageBox::Close, parent);
    box.setInformativeText(
        tr("Chat with a local reasoning model and look inside it while it works.\n\nFree software under the "
           "GNU General Public License, version 3 or later. Made with Qt, Qt Charts, SQLite, md4c, PCRE2, "
           "Highway, fmt and JSON for Modern C++; set in Inter and JetBrains Mono."));
    box.exec();
}

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/dialogs.h"

#include "ui/theme/theme.h"

#include <QAction>
#include <QCoreApplication>
#include <QDesktopServices>
#include <QDialog>
#include <QDialogButtonBox>
#include <QDir>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
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

QString pickModelFile(QWidget *parent)
{
    return QFileDialog::getOpenFileName(parent,
                                        tr("Open a model: its GGUF file, or config.json in its directory"),
                                        {}, tr("Models (*.gguf config.json *.safetensors);;All files (*)"));
}

QString modelOfFile(const QString &file)
{
    const QFileInfo info(file);
    const bool inDirectory = info.fileName() == QLatin1String("config.json")
        || info.suffix() == QLatin1String("safetensors") || info.suffix() == QLatin1String("json");
    return inDirectory ? info.absolutePath() : file;
}

void showCrashReport(QWidget *parent, const QString &file)
{
    QFile report(file);
    const QByteArray content = report.open(QIODevice::ReadOnly) ? report.readAll() : QByteArray();
    report.close();
    auto *dialog = new QDialog(parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Crash report"));
    auto *text =
        new QLabel(tr("Bathyscope ended unexpectedly the last time. This is all that was written down about "
                      "it; no text of yours is in it, and it was not sent to anybody. It helps to find the "
                      "fault when you attach it to a report of your own."),
                   dialog);
    text->setWordWrap(true);
    auto *view = new QPlainTextEdit(QString::fromUtf8(content), dialog);
    view->setReadOnly(true);
    view->setFont(theme::monoFont());
    view->setLineWrapMode(QPlainTextEdit::NoWrap);
    view->setAccessibleName(tr("Content of the report"));
    view->setTabChangesFocus(true);
    auto *place = new QLabel(QDir::toNativeSeparators(file), dialog);
    place->setTextFormat(Qt::PlainText);
    place->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    place->setWordWrap(true);
    place->setProperty("role", "secondary");
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close, dialog);
    QPushButton *show = buttons->addButton(tr("Show the folder"), QDialogButtonBox::ActionRole);
    QPushButton *remove = buttons->addButton(tr("Delete it"), QDialogButtonBox::ActionRole);
    for (QPushButton *button : {show, remove})
        button->setAutoDefault(false);
    buttons->button(QDialogButtonBox::Close)->setDefault(true);
    QObject::connect(show, &QPushButton::clicked, dialog, [file] {
        QDesktopServices::openUrl(QUrl::fromLocalFile(QFileInfo(file).absolutePath()));
    });
    QObject::connect(remove, &QPushButton::clicked, dialog, [file, dialog] {
        QFile::remove(file);
        dialog->close();
    });
    QObject::connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::close);
    auto *layout = new QVBoxLayout(dialog);
    layout->setContentsMargins(24, 24, 24, 16);
    layout->setSpacing(12);
    for (QWidget *part : {static_cast<QWidget *>(text), static_cast<QWidget *>(view),
                          static_cast<QWidget *>(place), static_cast<QWidget *>(buttons)})
        layout->addWidget(part);
    dialog->resize(640, 420);
    dialog->show();
}

bool confirmLoss(QWidget *parent)
{
    QMessageBox box(QMessageBox::Warning, tr("Not saved"),
                    tr("The history cannot be written now. What was said since then will be lost."),
                    QMessageBox::NoButton, parent);
    const QPushButton *leave = box.addButton(tr("Leave and lose it"), QMessageBox::DestructiveRole);
    box.setDefaultButton(box.addButton(tr("Stay"), QMessageBox::RejectRole));
    box.exec();
    return box.clickedButton() == leave;
}

} // namespace bathyscope::ui

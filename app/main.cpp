// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"
#include "app/display.h"
#include "app/program.h"
#include "app/scripted_run.h"

#include <QApplication>
#include <QDir>
#include <QMessageBox>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTextStream>

using namespace bathyscope::app;

namespace {

QString profileFolder(const Options &options, const QTemporaryDir &temporary)
{
    if (!options.profile.isEmpty())
        return QDir::current().absoluteFilePath(options.profile);
    return options.offscreen ? temporary.path()
                             : QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
}

QString historyFolder(const Options &options, const QString &profile)
{
    const QString chosen = Settings(profile).preferences().historyFolder;
    return chosen.isEmpty() || !options.profile.isEmpty() ? profile : chosen;
}

/// Text and all measures grow together; Qt reads the factor once, when the application begins.
void applyTextSize(const QString &profile)
{
    const int percent = Settings(profile).preferences().textSize;
    if (percent != 100 && qEnvironmentVariableIsEmpty("QT_SCALE_FACTOR"))
        qputenv("QT_SCALE_FACTOR", QByteArray::number(percent / 100.0));
}

int runWindow(QApplication &application, const Options &options, const QString &profile)
{
    QString error;
    try {
        Program program(options, profile, openHistory(historyFolder(options, profile), error));
        std::optional<ScriptedRun> script;
        if (!options.prompts.isEmpty() || !options.screenshot.isEmpty() || options.selectToken)
            script.emplace(program, options);
        program.start();
        if (!error.isEmpty())
            program.window().showError(error);
        return application.exec();
    } catch (const bathyscope::storage::ProfileInUse &inUse) {
        QTextStream(stderr) << "bathyscope: " << inUse.what() << Qt::endl;
        if (!options.offscreen)
            QMessageBox::information(nullptr, QStringLiteral("Bathyscope"), QString::fromUtf8(inUse.what()));
        return 1;
    }
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication::setApplicationName(QStringLiteral("bathyscope"));
    QCoreApplication::setApplicationVersion(QStringLiteral(BATHYSCOPE_VERSION));
    QGuiApplication::setApplicationDisplayName(QStringLiteral("Bathyscope"));
    // Options come first: help needs no display, and the size of the text is set before the window system is.
    const CommandLine commandLine = [&] {
        const QCoreApplication console(argc, argv);
        return parseCommandLine(QCoreApplication::arguments());
    }();
    if (commandLine.exitCode) {
        QTextStream(*commandLine.exitCode == 0 ? stdout : stderr) << commandLine.output.trimmed() << Qt::endl;
        return *commandLine.exitCode;
    }
    const Options &options = commandLine.options;
    if (options.offscreen) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    } else if (!hasDisplay()) {
        QTextStream(stderr) << "bathyscope: there is no display here; with --offscreen it works without one."
                            << Qt::endl;
        return 2;
    }
    const QTemporaryDir temporary;
    const QString profile = profileFolder(options, temporary);
    applyTextSize(profile);
    QApplication application(argc, argv);
    return runWindow(application, options, profile);
}

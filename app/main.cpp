// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"
#include "app/crash_report.h"
#include "app/display.h"
#include "app/instance_server.h"
#include "app/program.h"
#include "app/scripted_run.h"
#include "app/tools/console.h"
#include "engine/error.h"

#include <QApplication>
#include <QDir>
#include <QMessageBox>
#include <QPushButton>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTextStream>

#include <optional>
#include <utility>

using namespace bathyscope::app;
namespace storage = bathyscope::storage;

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

/// Says it where it is seen: in a window, or on the console when there is none.
int fail(const Options &options, const QString &text)
{
    QTextStream(stderr) << "bathyscope: " << text << Qt::endl;
    if (!options.offscreen)
        QMessageBox::critical(nullptr, QStringLiteral("Bathyscope"), text);
    return 1;
}

bool confirmReadOnly(const QString &why)
{
    QMessageBox box(QMessageBox::Question, QStringLiteral("Bathyscope"), why);
    box.setInformativeText(
        Program::tr("It can be opened for reading: you see your conversations, and nothing is "
                    "changed."));
    const QPushButton *read = box.addButton(Program::tr("Open for reading"), QMessageBox::AcceptRole);
    box.addButton(Program::tr("Quit"), QMessageBox::RejectRole);
    box.exec();
    return box.clickedButton() == read;
}

int runWindow(QApplication &application, const Options &options, const QString &profile,
              ProfileHistory history)
{
    std::optional<InstanceServer> server;
    if (!history.readOnly && !history.open)
        server.emplace(historyFolder(options, profile));
    Program program(options, profile, std::move(history));
    if (server)
        QObject::connect(&*server, &InstanceServer::raiseRequested, &program.window(),
                         &bathyscope::ui::MainWindow::raiseToUser);
    std::optional<ScriptedRun> script;
    if (!options.prompts.isEmpty() || !options.screenshot.isEmpty() || options.selectToken)
        script.emplace(program, options);
    program.start();
    const QString report = takeCrashReport(crashReportFile(profile));
    writeReportOnCrash(crashReportFile(profile));
    if (!report.isEmpty())
        program.tellOfCrash(report);
    return application.exec();
}

int run(QApplication &application, const Options &options, const QString &profile)
{
    const QString folder = historyFolder(options, profile);
    const auto access = options.readOnly ? Access::ReadOnly : Access::ReadWrite;
    try {
        return runWindow(application, options, profile, openHistory(folder, access));
    } catch (const storage::ProfileInUse &inUse) {
        if (!options.offscreen && raiseOtherInstance(folder))
            return 0;
        return fail(options, QString::fromUtf8(inUse.what()));
    } catch (const storage::NewerDatabase &newer) {
        const QString why = QString::fromUtf8(newer.what());
        if (options.offscreen)
            return fail(options, Program::tr("%1 With --read-only it can be read.").arg(why));
        if (!confirmReadOnly(why))
            return 1;
    } catch (const bathyscope::Error &error) {
        return fail(options, QString::fromUtf8(error.what()));
    }
    try {
        return runWindow(application, options, profile, openHistory(folder, Access::ReadOnly));
    } catch (const bathyscope::Error &error) {
        return fail(options, QString::fromUtf8(error.what()));
    }
}

} // namespace

int main(int argc, char **argv)
{
    joinConsole();
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
    return run(application, options, profile);
}

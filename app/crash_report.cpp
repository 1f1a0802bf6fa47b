// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/crash_report.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>

namespace bathyscope::app {

QString crashReportFile(const QString &profile)
{
    return profile + QStringLiteral("/crash-report.txt");
}

QString takeCrashReport(const QString &file)
{
    const QFileInfo report(file);
    if (!report.exists() || report.size() == 0)
        return {};
    const QString base = report.path() + QStringLiteral("/crash-report-")
        + report.lastModified().toString(QStringLiteral("yyyy-MM-dd-HHmmss"));
    QString name = base + QStringLiteral(".txt");
    for (int i = 2; QFile::exists(name); ++i)
        name = QStringLiteral("%1-%2.txt").arg(base).arg(i);
    return QFile::rename(file, name) ? name : QString();
}

} // namespace bathyscope::app

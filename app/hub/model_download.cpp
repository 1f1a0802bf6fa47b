// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/hub/model_download.h"

#include "ui/window/format.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QStorageInfo>

#include <algorithm>

namespace bathyscope::app {

namespace {

constexpr std::size_t filesAtOnce = 3;
constexpr double newest = 0.3; // weight of the newest measurement in the speed

} // namespace

QJsonObject DownloadPlan::toJson() const
{
    QJsonArray list;
    for (const RemoteFile &file : files)
        list.append(QJsonObject{{QStringLiteral("name"), file.name},
                                {QStringLiteral("size"), file.size},
                                {QStringLiteral("digest"), file.digest}});
    return {{QStringLiteral("repository"), repository},
            {QStringLiteral("commit"), commit},
            {QStringLiteral("title"), title},
            {QStringLiteral("folder"), folder},
            {QStringLiteral("endpoint"), endpoint.toString()},
            {QStringLiteral("files"), list}};
}

std::optional<DownloadPlan> DownloadPlan::fromJson(const QJsonObject &object)
{
    DownloadPlan plan{.repository = object.value(QLatin1String("repository")).toString(),
                      .commit = object.value(QLatin1String("commit")).toString(),
                      .title = object.value(QLatin1String("title")).toString(),
                      .folder = object.value(QLatin1String("folder")).toString(),
                      .endpoint = QUrl(object.value(QLatin1String("endpoint")).toString()),
                      .files = {}};
    for (const QJsonValue &value : object.value(QLatin1String("files")).toArray()) {
        const QJsonObject file = value.toObject();
        plan.files.push_back({file.value(QLatin1String("name")).toString(),
                              file.value(QLatin1String("size")).toInteger(-1),
                              file.value(QLatin1String("digest")).toString()});
    }
    const bool safe = std::ranges::all_of(plan.files, [](const RemoteFile &f) { return isSafeName(f.name); });
    if (!safe || plan.files.empty() || plan.commit.isEmpty() || !isSafeName(plan.repository)
        || plan.folder.isEmpty() || !plan.endpoint.isValid())
        return std::nullopt;
    return plan;
}

ModelDownload::ModelDownload(QNetworkAccessManager &network, const DownloadPlan &plan,
                             const RetryPolicy &retry, QObject *parent)
    : QObject(parent)
    , m_network(network)
    , m_plan(plan)
    , m_retry(retry)
    , m_access{plan.endpoint, {}}
    , m_lastDone(bytesDone())
{
}

QString ModelDownload::targetOf(const RemoteFile &file) const
{
    return m_plan.folder + QLatin1Char('/') + file.name;
}

qint64 ModelDownload::bytesDone() const
{
    qint64 sum = 0;
    for (const RemoteFile &file : m_plan.files) {
        const QFileInfo whole(targetOf(file));
        sum += whole.exists() ? whole.size() : QFileInfo(FileDownload::partOf(targetOf(file))).size();
    }
    return sum;
}

/// Empty: there is room.
QString ModelDownload::missingRoom() const
{
    const ui::DownloadEntry now = entry();
    const qint64 available = QStorageInfo(m_plan.folder).bytesAvailable();
    if (available < 0 || available >= now.total - now.done)
        return {};
    return tr("%1 are needed on this disk, and %2 are free: make room, then go on.")
        .arg(ui::formatBytes(now.total - now.done), ui::formatBytes(available));
}

void ModelDownload::start(const QString &token)
{
    if (m_state == State::Running)
        return;
    m_access.token = token;
    m_running.clear();
    m_next = 0;
    m_speed = 0;
    m_clock.start();
    if (!QDir().mkpath(m_plan.folder)) {
        fail(tr("The folder %1 cannot be made.").arg(QDir::toNativeSeparators(m_plan.folder)));
        return;
    }
    if (const QString missing = missingRoom(); !missing.isEmpty()) {
        fail(missing);
        return;
    }
    m_problem.clear();
    m_state = State::Running;
    emit stateChanged();
    startNext();
}

void ModelDownload::startNext()
{
    while (m_state == State::Running && m_running.size() < filesAtOnce && m_next < m_plan.files.size()) {
        const RemoteFile &file = m_plan.files[m_next++];
        FileDownload *download =
            m_running
                .emplace_back(std::make_unique<FileDownload>(
                    m_network, m_access, m_access.file(m_plan.repository, m_plan.commit, file.name), file,
                    targetOf(file), m_retry))
                .get();
        // Queued: none may end while it is being started.
        connect(
            download, &FileDownload::finished, this, [this, download] { onFileFinished(download); },
            Qt::QueuedConnection);
        connect(download, &FileDownload::failed, this, &ModelDownload::fail, Qt::QueuedConnection);
        download->start();
    }
    if (m_state == State::Running && m_running.empty() && m_next == m_plan.files.size()) {
        m_state = State::Done;
        emit stateChanged();
    }
}

void ModelDownload::onFileFinished(FileDownload *file)
{
    std::erase_if(m_running, [file](const auto &running) { return running.get() == file; });
    startNext();
}

void ModelDownload::pause()
{
    if (m_state != State::Running)
        return;
    m_running.clear();
    m_state = State::Paused;
    emit stateChanged();
}

void ModelDownload::discard()
{
    pause();
    for (const RemoteFile &file : m_plan.files)
        QFile::remove(FileDownload::partOf(targetOf(file)));
}

void ModelDownload::fail(const QString &why)
{
    m_running.clear();
    m_problem = why;
    m_state = State::Failed;
    emit stateChanged();
}

void ModelDownload::tick()
{
    const qint64 done = bytesDone();
    const double seconds = double(m_clock.restart()) / 1000;
    if (seconds > 0) {
        const double now = double(done - m_lastDone) / seconds;
        m_speed = m_speed == 0 ? now : newest * now + (1 - newest) * m_speed;
    }
    m_lastDone = done;
}

ui::DownloadEntry ModelDownload::entry() const
{
    ui::DownloadEntry entry;
    entry.title = QStringLiteral("%1 · %2").arg(m_plan.repository, m_plan.title);
    entry.state = m_state;
    entry.done = bytesDone();
    for (const RemoteFile &file : m_plan.files)
        entry.total += std::max<qint64>(file.size, 0);
    entry.speed = m_state == State::Running ? std::max(0.0, m_speed) : 0;
    entry.problem = m_problem;
    return entry;
}

} // namespace bathyscope::app

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/hub/file_download.h"
#include "ui/library/hub_entry.h"

#include <QElapsedTimer>
#include <QJsonObject>

#include <memory>
#include <optional>
#include <vector>

namespace bathyscope::app {

/// What is to be downloaded, and where to. Pinned to a commit: it is the same tomorrow.
struct DownloadPlan {
    QString repository; ///< "owner/name"
    QString commit;
    QString title; ///< of the choice, for people
    QString folder; ///< of the model; the names of the files are below it
    QUrl endpoint; ///< of the hub
    std::vector<RemoteFile> files;

    [[nodiscard]] QJsonObject toJson() const;
    /// None for what was not written by toJson(), or is not safe.
    static std::optional<DownloadPlan> fromJson(const QJsonObject &object);
    bool operator==(const DownloadPlan &) const = default;
};

/// Files of one model, several at a time.
class ModelDownload : public QObject {
    Q_OBJECT

public:
    using State = ui::DownloadEntry::State;

    ModelDownload(QNetworkAccessManager &network, const DownloadPlan &plan, const RetryPolicy &retry,
                  QObject *parent = nullptr);

    /// `token`: the user's for the hub, or empty.
    void start(const QString &token);
    void pause();
    /// Pauses, and removes what had not become a file.
    void discard();

    [[nodiscard]] const DownloadPlan &plan() const { return m_plan; }
    [[nodiscard]] State state() const { return m_state; }
    /// `id` is for the owner to fill in.
    [[nodiscard]] ui::DownloadEntry entry() const;
    /// Measures the speed; to be called about every half second.
    void tick();

signals:
    void stateChanged();

private:
    void startNext();
    void onFileFinished(FileDownload *file);
    void fail(const QString &why);
    [[nodiscard]] QString targetOf(const RemoteFile &file) const;
    [[nodiscard]] qint64 bytesDone() const;
    [[nodiscard]] QString missingRoom() const;

    QNetworkAccessManager &m_network;
    DownloadPlan m_plan;
    RetryPolicy m_retry;
    HubAccess m_access;
    State m_state = State::Paused;
    QString m_problem;
    std::vector<std::unique_ptr<FileDownload>> m_running;
    std::size_t m_next = 0; ///< the first file that was not begun
    QElapsedTimer m_clock; ///< since the last tick()
    qint64 m_lastDone = 0; ///< bytes, at the last tick()
    double m_speed = 0; ///< bytes a second
};

} // namespace bathyscope::app

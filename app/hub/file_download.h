// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/hub/hub_access.h"
#include "app/hub/hub_repository.h"

#include <QFile>
#include <QNetworkAccessManager>
#include <QObject>
#include <QPointer>
#include <QTimer>

namespace bathyscope::app {

/// How often and how soon a broken connection is tried again; bytes that arrive begin the count anew.
struct RetryPolicy {
    int attempts = 8;
    int firstDelay = 1000; ///< ms; doubled with each attempt, at most a minute
};

/// Brings one file of a hub to this machine. It is written beside its place, as `.part`, goes on from there
/// when it is started again, and takes its place when its hash is right.
class FileDownload : public QObject {
    Q_OBJECT

public:
    FileDownload(QNetworkAccessManager &network, const HubAccess &access, const QUrl &url,
                 const RemoteFile &file, const QString &target, const RetryPolicy &retry,
                 QObject *parent = nullptr);
    ~FileDownload() override;

    void start();
    void stop(); ///< what is there stays, to go on from
    [[nodiscard]] qint64 done() const { return m_done; } ///< bytes on the disk

    static QString partOf(const QString &target);

signals:
    void progressed();
    void finished();
    /// Trying again by itself makes no sense.
    void failed(const QString &why);

private:
    void request(const QUrl &url);
    [[nodiscard]] bool accepts(const QNetworkReply &reply);
    void take();
    void onFinished();
    bool takesDigest(const QNetworkReply &reply);
    void tryAgain(const QString &why, int seconds = -1);
    void begin();
    using TakeDigest = void (FileDownload::*)(const QString &digest);
    void check(const QString &path, TakeDigest next);
    void onWholeChecked(const QString &digest);
    void onPartChecked(const QString &digest);
    void fail(const QString &why);

    QNetworkAccessManager &m_network;
    HubAccess m_access;
    QUrl m_url;
    RemoteFile m_file;
    QString m_target;
    RetryPolicy m_retry;
    QFile m_part;
    QPointer<QNetworkReply> m_reply;
    QTimer m_delay; ///< until the next attempt
    qint64 m_done = 0;
    int m_attempts = 0; ///< since the last byte
    int m_redirects = 0;
    int m_run = 0; ///< of start() and stop(): what was begun before is of no interest
    bool m_accepted = false; ///< the body of the current reply is the file's
};

/// SHA-256 of a file, or what git calls it by, as long as `like` is; empty: it cannot be read.
QString digestOfFile(const QString &path, const QString &like);

} // namespace bathyscope::app

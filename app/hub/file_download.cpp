// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/hub/file_download.h"

#include "app/hub/hub_client.h"
#include "engine/limits.h"

#include <QCoreApplication>
#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QNetworkReply>
#include <QThreadPool>

#include <algorithm>

namespace bathyscope::app {

namespace {

constexpr qint64 bufferSize = 4 << 20; // bytes that wait in memory
constexpr int longestDelay = 60'000; // ms
constexpr int gitDigits = 40; // of a SHA-1

/// The place in the file that a partial answer begins at; -1: it does not say.
qint64 beginOf(const QNetworkReply &reply)
{
    const QByteArray range = reply.rawHeader("Content-Range"); // "bytes 100-199/200"
    if (!range.startsWith("bytes "))
        return -1;
    bool read = false;
    const qint64 begin = range.mid(6, range.indexOf('-') - 6).toLongLong(&read);
    return read ? begin : -1;
}

} // namespace

QString digestOfFile(const QString &path, const QString &like)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    const bool git = like.size() == gitDigits;
    QCryptographicHash hash(git ? QCryptographicHash::Sha1 : QCryptographicHash::Sha256);
    if (git) {
        hash.addData("blob " + QByteArray::number(file.size()));
        hash.addData(QByteArray(1, '\0'));
    }
    return hash.addData(&file) ? QString::fromLatin1(hash.result().toHex()) : QString();
}

FileDownload::FileDownload(QNetworkAccessManager &network, const HubAccess &access, const QUrl &url,
                           const RemoteFile &file, const QString &target, const RetryPolicy &retry,
                           QObject *parent)
    : QObject(parent)
    , m_network(network)
    , m_access(access)
    , m_url(url)
    , m_file(file)
    , m_target(target)
    , m_retry(retry)
    , m_part(partOf(target))
    , m_done(m_part.size())
{
    m_delay.setSingleShot(true);
    connect(&m_delay, &QTimer::timeout, this, &FileDownload::start);
}

FileDownload::~FileDownload()
{
    stop();
}

QString FileDownload::partOf(const QString &target)
{
    return target + QStringLiteral(".part");
}

void FileDownload::start()
{
    stop();
    const QFileInfo whole(m_target); // of another download; or of another commit, then it is replaced
    if (whole.exists() && (m_file.size < 0 || whole.size() == m_file.size))
        check(m_target, &FileDownload::onWholeChecked);
    else
        begin();
}

void FileDownload::onWholeChecked(const QString &digest)
{
    if (digest != m_file.digest) {
        begin();
        return;
    }
    m_done = QFileInfo(m_target).size();
    emit finished();
}

void FileDownload::begin()
{
    if (!QDir().mkpath(QFileInfo(m_target).absolutePath()) || !m_part.open(QIODevice::Append)) {
        fail(tr("%1 cannot be written: %2.")
                 .arg(QDir::toNativeSeparators(m_part.fileName()), m_part.errorString()));
        return;
    }
    m_done = m_part.size();
    if (m_file.size >= 0 && m_done > m_file.size) {
        m_part.resize(0);
        m_done = 0;
    }
    m_redirects = 0;
    if (m_done == m_file.size)
        check(m_part.fileName(), &FileDownload::onPartChecked);
    else
        request(m_url);
}

void FileDownload::stop()
{
    ++m_run;
    m_delay.stop();
    if (m_reply != nullptr) {
        m_reply->disconnect(this);
        m_reply->abort();
        m_reply->deleteLater();
        m_reply.clear();
    }
    m_part.close();
}

void FileDownload::request(const QUrl &url)
{
    QNetworkRequest request = m_access.request(url);
    request.setRawHeader("Accept-Encoding", "identity"); // places in the file are places in the answer
    if (m_done > 0)
        request.setRawHeader("Range", "bytes=" + QByteArray::number(m_done) + '-');
    m_accepted = false;
    m_reply = m_network.get(request);
    m_reply->setReadBufferSize(bufferSize);
    connect(m_reply, &QNetworkReply::readyRead, this, &FileDownload::take);
    connect(m_reply, &QNetworkReply::finished, this, &FileDownload::onFinished);
}

/// A server that sends the whole file although a part was asked for begins the file anew.
bool FileDownload::accepts(const QNetworkReply &reply)
{
    if (m_accepted)
        return true;
    const int status = statusOf(reply);
    if (status == 200 && m_done > 0) {
        m_part.resize(0);
        m_done = 0;
    }
    m_accepted = status == 200 || (status == 206 && beginOf(reply) == m_done);
    return m_accepted;
}

void FileDownload::take()
{
    if (!accepts(*m_reply))
        return;
    const QByteArray bytes = m_reply->readAll();
    if (bytes.isEmpty())
        return;
    if (m_part.write(bytes) != bytes.size() || !m_part.flush()) {
        fail(tr("%1 cannot be written: %2.")
                 .arg(QDir::toNativeSeparators(m_part.fileName()), m_part.errorString()));
        return;
    }
    m_done += bytes.size();
    m_attempts = 0;
    if (m_file.size >= 0 && m_done > m_file.size) {
        m_part.resize(0);
        fail(tr("%1 is larger than the hub says.").arg(m_file.name));
        return;
    }
    emit progressed();
}

void FileDownload::onFinished()
{
    take();
    if (m_reply == nullptr)
        return; // it has failed
    QNetworkReply *reply = m_reply;
    m_reply.clear();
    reply->deleteLater();
    const int status = statusOf(*reply);
    if (!takesDigest(*reply))
        return;
    if (const auto next = redirectOf(*reply); next && m_redirects < limits::maxHubRedirects) {
        ++m_redirects;
        request(*next);
    } else if (m_accepted && reply->error() == QNetworkReply::NoError
               && (m_file.size < 0 || m_done == m_file.size)) {
        check(m_part.fileName(), &FileDownload::onPartChecked);
    } else if (status == 416 || (status == 206 && !m_accepted)) {
        m_part.resize(0); // the server does not know the place that is wanted
        m_done = 0;
        tryAgain(tr("The server does not continue %1.").arg(m_file.name));
    } else if (status == 200 || status == 206 || status == 0 || status >= 500 || status == 429) {
        tryAgain(reply->error() == QNetworkReply::NoError ? tr("The connection ended too early.")
                                                          : reply->errorString(),
                 retryAfter(*reply));
    } else {
        fail(refusalOf(*reply, m_access));
    }
}

/// The hub itself names the hash of a large file, before it sends on to where the file lies.
bool FileDownload::takesDigest(const QNetworkReply &reply)
{
    QString digest = QString::fromLatin1(reply.rawHeader("X-Linked-Etag"));
    digest.remove(QLatin1Char('"'));
    if (digest.size() != 64 || m_redirects > 0)
        return true;
    if (m_file.digest.isEmpty())
        m_file.digest = digest;
    if (m_file.digest == digest)
        return true;
    fail(tr("The hub names another hash for %1 than in its list of files.").arg(m_file.name));
    return false;
}

void FileDownload::tryAgain(const QString &why, int seconds)
{
    if (++m_attempts > m_retry.attempts) {
        fail(why);
        return;
    }
    const int doubled = std::min(longestDelay, m_retry.firstDelay << std::min(m_attempts - 1, 10));
    m_delay.start(seconds >= 0 ? seconds * 1000 : doubled);
}

/// On a thread of its own: reading a large file takes a while.
void FileDownload::check(const QString &path, TakeDigest next)
{
    m_part.close();
    if (m_file.digest.isEmpty()) {
        (this->*next)({});
        return;
    }
    QThreadPool::globalInstance()->start(
        [self = QPointer(this), run = m_run, path, like = m_file.digest, next] {
            const QString digest = digestOfFile(path, like);
            QMetaObject::invokeMethod(
                QCoreApplication::instance(),
                [self, run, digest, next] {
                    if (self != nullptr && self->m_run == run)
                        (self->*next)(digest);
                },
                Qt::QueuedConnection);
        });
}

void FileDownload::onPartChecked(const QString &digest)
{
    if (digest != m_file.digest) {
        m_part.remove();
        m_done = 0;
        fail(tr("%1 arrived damaged: its hash is not the one that the hub names. It was removed; download it "
                "again.")
                 .arg(m_file.name));
    } else if ((QFile::exists(m_target) && !QFile::remove(m_target)) || !m_part.rename(m_target)) {
        fail(tr("%1 cannot be written: %2.").arg(QDir::toNativeSeparators(m_target), m_part.errorString()));
    } else {
        emit finished();
    }
}

void FileDownload::fail(const QString &why)
{
    stop();
    emit failed(why);
}

} // namespace bathyscope::app

// SPDX-License-Identifier: GPL-3.0-or-later
//
// One file of a hub, against servers on loopback: redirects, ranges, dropped connections, wrong hashes, 401
// and 429.
#include "app/hub/file_download.h"
#include "tests/app/hub/fake_hub.h"

#include <QCryptographicHash>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

namespace bathyscope::app {

namespace {

QByteArray someBytes()
{
    QByteArray bytes;
    for (int i = 0; i < 300'000; ++i)
        bytes.append(static_cast<char>(i * 7 + i / 251));
    return bytes;
}

QString sha256(const QByteArray &bytes)
{
    return QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
}

/// A hub that sends on to another server, as the public one does, and a file to be brought.
struct Fixture {
    QByteArray file = someBytes();
    HttpServer store{[this](const HttpRequest &request) {
        return answers.isEmpty() ? rangeOf(file, request) : answers.takeFirst()(request);
    }};
    HttpServer hub{[this](const HttpRequest &request) {
        if (!hubAnswers.isEmpty())
            return hubAnswers.takeFirst()(request);
        return HttpAnswer{.status = 302,
                          .body = {},
                          .headers = {"Location: " + store.url().toEncoded() + "/blob",
                                      "X-Linked-Etag: \"" + sha256(file).toLatin1() + '"'}};
    }};
    QList<HttpServer::Answer> answers; ///< of the store, before it behaves
    QList<HttpServer::Answer> hubAnswers;
    QTemporaryDir folder;
    QNetworkAccessManager network;
    RemoteFile remote{QStringLiteral("model.gguf"), file.size(), sha256(file)};
    QString target = folder.filePath(QStringLiteral("a/model.gguf"));

    std::unique_ptr<FileDownload> make(const QString &token = QStringLiteral("secret"))
    {
        const HubAccess access{hub.url(), token};
        return std::make_unique<FileDownload>(
            network, access, access.file(QStringLiteral("o/n"), QStringLiteral("c0ffee"), remote.name),
            remote, target, RetryPolicy{.attempts = 3, .firstDelay = 1});
    }

    /// Empty: it ended well; else why not.
    QString run()
    {
        const auto download = make();
        QSignalSpy finished(download.get(), &FileDownload::finished);
        QSignalSpy failed(download.get(), &FileDownload::failed);
        download->start();
        const bool ended = QTest::qWaitFor([&] { return finished.size() + failed.size() > 0; }, 20000);
        return !ended          ? QStringLiteral("nothing happened")
            : failed.isEmpty() ? QString()
                               : failed.at(0).at(0).toString();
    }

    [[nodiscard]] QByteArray arrived() const
    {
        QFile result(target);
        return result.open(QIODevice::ReadOnly) ? result.readAll() : QByteArray();
    }

    [[nodiscard]] bool hasPart() const { return QFile::exists(FileDownload::partOf(target)); }

    void writePart(const QByteArray &bytes)
    {
        QDir(folder.path()).mkpath(QStringLiteral("a"));
        QFile part(FileDownload::partOf(target));
        QVERIFY(part.open(QIODevice::WriteOnly));
        part.write(bytes);
    }
};

HttpAnswer status(int code, const QList<QByteArray> &headers = {})
{
    return {.status = code, .body = "no", .headers = headers};
}

} // namespace

class FileDownloadTest : public QObject {
    Q_OBJECT

private slots:
    void followsTheHubToTheStoreWithoutTheToken()
    {
        Fixture f;
        QCOMPARE(f.run(), QString());
        QCOMPARE(f.arrived(), f.file);
        QVERIFY(!f.hasPart());
        QCOMPARE(f.hub.requests.size(), 1);
        QCOMPARE(f.hub.requests.at(0).path, QByteArray("/o/n/resolve/c0ffee/model.gguf"));
        QCOMPARE(f.hub.requests.at(0).headers.value("authorization"), QByteArray("Bearer secret"));
        QVERIFY(!f.store.requests.at(0).headers.contains("authorization"));
    }

    void goesOnWhereTheConnectionDropped()
    {
        Fixture f;
        const auto drop = [&f](const HttpRequest &request) {
            HttpAnswer answer = rangeOf(f.file, request);
            answer.dropAfter = 100'000;
            return answer;
        };
        f.answers = {drop, drop};
        QCOMPARE(f.run(), QString());
        QCOMPARE(f.arrived(), f.file);
        QCOMPARE(f.store.requests.size(), 3);
        QCOMPARE(f.store.requests.at(1).headers.value("range"), QByteArray("bytes=100000-"));
        QCOMPARE(f.store.requests.at(2).headers.value("range"), QByteArray("bytes=200000-"));
    }

    void goesOnAfterTheProgramWasEnded()
    {
        Fixture f;
        f.writePart(f.file.left(12'345));
        QCOMPARE(f.make()->done(), 12'345);
        QCOMPARE(f.run(), QString());
        QCOMPARE(f.arrived(), f.file);
        QCOMPARE(f.store.requests.at(0).headers.value("range"), QByteArray("bytes=12345-"));
    }

    void beginsAnewWhereTheServerKnowsNoRanges()
    {
        Fixture f;
        f.writePart("something else");
        f.answers = {[&f](const HttpRequest &) { return HttpAnswer{.body = f.file, .headers = {}}; }};
        QCOMPARE(f.run(), QString());
        QCOMPARE(f.arrived(), f.file);
    }

    void beginsAnewWhereTheServerDoesNotKnowThePlace_data()
    {
        QTest::addColumn<int>("code");
        QTest::newRow("range not satisfiable") << 416;
        QTest::newRow("another place") << 206;
    }

    void beginsAnewWhereTheServerDoesNotKnowThePlace()
    {
        QFETCH(const int, code);
        Fixture f;
        f.writePart(f.file.left(500));
        f.answers = {[code](const HttpRequest &) { return status(code, {"Content-Range: bytes 7-8/9"}); }};
        QCOMPARE(f.run(), QString());
        QCOMPARE(f.arrived(), f.file);
    }

    void aWholePartIsOnlyChecked()
    {
        Fixture f;
        f.writePart(f.file);
        QCOMPARE(f.run(), QString());
        QCOMPARE(f.arrived(), f.file);
        QCOMPARE(f.hub.requests.size(), 0);
    }

    void aFileOfAnotherCommitIsReplaced()
    {
        Fixture f;
        f.writePart(QByteArray(f.file.size(), 'x'));
        QVERIFY(QFile::rename(FileDownload::partOf(f.target), f.target));
        QCOMPARE(f.run(), QString());
        QCOMPARE(f.arrived(), f.file);
        QCOMPARE(f.hub.requests.size(), 1);
        QCOMPARE(f.run(), QString()); // and the right one is kept
        QCOMPARE(f.hub.requests.size(), 1);
    }

    void aWrongHashLeavesNothing()
    {
        Fixture f;
        QByteArray damaged = f.file;
        damaged[1000] = static_cast<char>(damaged[1000] + 1);
        f.answers = {[&damaged](const HttpRequest &) { return HttpAnswer{.body = damaged, .headers = {}}; }};
        QVERIFY(f.run().contains(QStringLiteral("damaged")));
        QVERIFY(!f.hasPart());
        QVERIFY(!QFile::exists(f.target));
    }

    void theHubsHashCountsWhereTheListHasNone()
    {
        Fixture f;
        f.remote.digest.clear();
        f.answers = {[&f](const HttpRequest &) {
            return HttpAnswer{.body = QByteArray(f.file.size(), 'x'), .headers = {}};
        }};
        QVERIFY(f.run().contains(QStringLiteral("damaged")));
        f.remote.digest = sha256("another");
        QVERIFY(f.run().contains(QStringLiteral("another hash")));
        QVERIFY(!QFile::exists(f.target));
    }

    void smallFilesHaveGitsHash()
    {
        Fixture f;
        f.file = "hello\n";
        f.remote.size = f.file.size();
        f.remote.digest = QStringLiteral("ce013625030ba8dba906f756967f9e9ca394464a"); // git hash-object
        f.hubAnswers = {[&f](const HttpRequest &request) { return rangeOf(f.file, request); }};
        QCOMPARE(f.run(), QString());
        QCOMPARE(f.arrived(), f.file);
    }

    void moreThanTheHubSaysIsRefused()
    {
        Fixture f;
        f.answers = {
            [&f](const HttpRequest &) { return HttpAnswer{.body = f.file + "more", .headers = {}}; }};
        QVERIFY(f.run().contains(QStringLiteral("larger")));
        QVERIFY(!QFile::exists(f.target));
    }

    void withoutRightItAsksForAToken()
    {
        Fixture f;
        f.hubAnswers = {[](const HttpRequest &) { return status(401); }};
        QVERIFY(f.run().contains(QStringLiteral("token")));
        QCOMPARE(f.hub.requests.size(), 1);
    }

    void waitsWhenItIsAskedTo()
    {
        Fixture f;
        f.hubAnswers = {[](const HttpRequest &) { return status(429, {"Retry-After: 1"}); }};
        QElapsedTimer clock;
        clock.start();
        QCOMPARE(f.run(), QString());
        QVERIFY(clock.elapsed() >= 1000);
        QCOMPARE(f.arrived(), f.file);
    }

    void givesUpInTheEnd()
    {
        Fixture f;
        for (int i = 0; i < 10; ++i)
            f.hubAnswers << [](const HttpRequest &) { return status(503); };
        QVERIFY(!f.run().isEmpty());
        QCOMPARE(f.hub.requests.size(), 4);
    }

    void circlesAndUnknownSchemesEnd()
    {
        Fixture f;
        for (int i = 0; i < 100; ++i)
            f.hubAnswers << [](const HttpRequest &) { return status(302, {"Location: /again"}); };
        QVERIFY(!f.run().isEmpty());
        f.hubAnswers = {[](const HttpRequest &) { return status(302, {"Location: file:///etc/passwd"}); }};
        QVERIFY(!f.run().isEmpty());
        QVERIFY(!QFile::exists(f.target));
    }

    void stoppingKeepsWhatIsThere()
    {
        Fixture f;
        f.answers = {[&f](const HttpRequest &request) {
            HttpAnswer answer = rangeOf(f.file, request);
            answer.dropAfter = 50'000;
            return answer;
        }};
        const auto download = f.make();
        connect(download.get(), &FileDownload::progressed, download.get(), [&] {
            if (download->done() == 50'000)
                download->stop();
        });
        download->start();
        QTRY_COMPARE(download->done(), 50'000);
        QVERIFY(f.hasPart());
        QCOMPARE(QFileInfo(FileDownload::partOf(f.target)).size(), 50'000);
    }
};

} // namespace bathyscope::app

QTEST_GUILESS_MAIN(bathyscope::app::FileDownloadTest)
#include "file_download_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
//
// A hub's answers, and downloads of whole models with their records.
#include "app/hub/download_queue.h"
#include "app/hub/hub_client.h"
#include "engine/error.h"
#include "tests/app/hub/fake_hub.h"
#include "tests/app/throws.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

namespace bathyscope::app {

namespace {

const QByteArray commit(40, 'a');

/// JSON with single quotes, for reading.
QByteArray json(QByteArray text)
{
    return text.replace('\'', '"');
}

QByteArray description()
{
    return json("{'id':'some/Model-GGUF','sha':'" + commit
                + "','gated':'auto','siblings':["
                  "{'rfilename':'big-Q8_0-00001-of-00002.gguf','size':600,'lfs':{'sha256':'"
                + QByteArray(64, 'b')
                + "'}},"
                  "{'rfilename':'big-Q8_0-00002-of-00002.gguf','size':300},"
                  "{'rfilename':'small-Q4_0.gguf','size':500},"
                  "{'rfilename':'mmproj-small.gguf','size':5},"
                  "{'rfilename':'config.json','size':7,'blobId':'"
                + QByteArray(40, 'c')
                + "'},"
                  "{'rfilename':'tokenizer.json','size':8},"
                  "{'rfilename':'model.safetensors','size':1000},"
                  "{'rfilename':'original/consolidated.safetensors','size':1000},"
                  "{'rfilename':'training_args.bin','size':9},"
                  "{'rfilename':'../../.bashrc','size':1},"
                  "{'rfilename':'/etc/passwd','size':1},"
                  "{'rfilename':'a\\\\b.gguf','size':1}]}");
}

HttpAnswer ok(const QByteArray &body)
{
    return {.status = 200, .body = body, .headers = {}};
}

/// A queue with a server whose files are their names.
struct Fixture {
    HttpServer hub{[this](const HttpRequest &request) {
        const QByteArray name = request.path.mid(request.path.lastIndexOf('/') + 1);
        return hold ? HttpAnswer{.status = 503, .body = {}, .headers = {"Retry-After: 600"}} : ok(name);
    }};
    bool hold = false;
    QTemporaryDir folder;
    QNetworkAccessManager network;
    QString token = QStringLiteral("secret");

    std::unique_ptr<DownloadQueue> queue()
    {
        return std::make_unique<DownloadQueue>(
            network, folder.filePath(QStringLiteral("records")),
            [this](const QUrl &, const std::function<void(const QString &)> &take) { take(token); },
            RetryPolicy{.attempts = 1, .firstDelay = 1});
    }

    DownloadPlan plan()
    {
        DownloadPlan result{.repository = QStringLiteral("o/n"),
                            .commit = QString::fromLatin1(commit),
                            .title = QStringLiteral("Q4_0"),
                            .folder = folder.filePath(QStringLiteral("o/n")),
                            .endpoint = hub.url(),
                            .files = {}};
        for (const char *name : {"a.json", "b.json", "c.json", "d.json", "e.json"})
            result.files.push_back({QString::fromLatin1(name), 6, {}});
        return result;
    }

    [[nodiscard]] qsizetype records() const
    {
        return QDir(folder.filePath(QStringLiteral("records"))).entryList(QDir::Files).size();
    }
};

} // namespace

class HubTest : public QObject {
    Q_OBJECT

private slots:
    void addressesAreUnderstood_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("repository");
        QTest::addColumn<QString>("revision");
        QTest::newRow("id") << "Qwen/Qwen3-0.6B"
                            << "Qwen/Qwen3-0.6B"
                            << "";
        QTest::newRow("page") << "https://huggingface.co/Qwen/Qwen3-0.6B"
                              << "Qwen/Qwen3-0.6B"
                              << "";
        QTest::newRow("short") << " hf.co/Qwen/Qwen3-0.6B/ "
                               << "Qwen/Qwen3-0.6B"
                               << "";
        QTest::newRow("branch") << "https://huggingface.co/a/b/tree/dev?x=1"
                                << "a/b"
                                << "dev";
        QTest::newRow("file") << "https://huggingface.co/a/b/resolve/abc123/x/y.gguf?download=true"
                              << "a/b"
                              << "abc123";
        QTest::newRow("mirror") << "http://mirror:8080/hub/a/b"
                                << ""
                                << "";
        QTest::newRow("own endpoint") << "http://mirror:8080/a/b"
                                      << "a/b"
                                      << "";
        QTest::newRow("words") << "deepseek distill"
                               << ""
                               << "";
        QTest::newRow("one word") << "deepseek"
                                  << ""
                                  << "";
        QTest::newRow("leaves") << "../secret"
                                << ""
                                << "";
        QTest::newRow("leaves later") << "a/..b"
                                      << ""
                                      << "";
    }

    void addressesAreUnderstood()
    {
        QFETCH(const QString, text);
        QFETCH(const QString, repository);
        QFETCH(const QString, revision);
        const auto address = parseHubAddress(text, QUrl(QStringLiteral("http://mirror:8080")));
        QCOMPARE(address.value_or(HubAddress()), (HubAddress{repository, revision}));
    }

    void theEndpointIsTheUsers()
    {
        qunsetenv("HF_ENDPOINT");
        QCOMPARE(HubAccess::endpointFromEnvironment(), QUrl(QStringLiteral("https://huggingface.co")));
        qputenv("HF_ENDPOINT", "https://mirror.example/hub/");
        const HubAccess access{HubAccess::endpointFromEnvironment(), {}};
        QCOMPARE(
            access.file(QStringLiteral("o/n"), QStringLiteral("c"), QStringLiteral("x y.gguf")).toEncoded(),
            QByteArray("https://mirror.example/hub/o/n/resolve/c/x%20y.gguf"));
        qputenv("HF_ENDPOINT", "file:///etc");
        QCOMPARE(HubAccess::endpointFromEnvironment(), QUrl(QStringLiteral("https://huggingface.co")));
        qunsetenv("HF_ENDPOINT");
    }

    void theTokenGoesToTheHubAlone()
    {
        const HubAccess hub{QUrl(QStringLiteral("https://huggingface.co")), QStringLiteral("secret")};
        const auto carries = [&hub](const char *url) {
            return hub.request(QUrl(QString::fromLatin1(url))).hasRawHeader("Authorization");
        };
        QVERIFY(carries("https://huggingface.co/x"));
        QVERIFY(carries("https://huggingface.co:443/x"));
        QVERIFY(!carries("https://cdn.huggingface.co/x"));
        QVERIFY(!carries("https://huggingface.co.evil/x"));
        QVERIFY(!carries("https://huggingface.co:444/x"));
        QVERIFY(!carries("http://huggingface.co/x"));
        const HubAccess open{QUrl(QStringLiteral("http://mirror")), QStringLiteral("secret")};
        QVERIFY2(!open.request(QUrl(QStringLiteral("http://mirror/x"))).hasRawHeader("Authorization"),
                 "not without encryption");
    }

    void aRepositoryOffersItsModels()
    {
        const HubRepository repository = parseRepository(description());
        QCOMPARE(repository.commit, QString::fromLatin1(commit));
        QVERIFY(repository.gated);
        QCOMPARE(repository.files.size(), std::size_t(9)); // not those that leave the folder
        QCOMPARE(repository.files.at(0).digest, QString(64, QLatin1Char('b')));
        QCOMPARE(repository.files.at(4).digest, QString(40, QLatin1Char('c')));
        const auto choices = choicesOf(repository);
        QCOMPARE(choices.size(), std::size_t(3));
        QCOMPARE(choices[0],
                 (ui::HubChoice{QStringLiteral("small-Q4_0"), {QStringLiteral("small-Q4_0.gguf")}, 500}));
        QCOMPARE(choices[1].title, QStringLiteral("big-Q8_0"));
        QCOMPARE(choices[1].bytes, 900);
        QCOMPARE(choices[1].files.size(), 2);
        QCOMPARE(choices[2].title, QStringLiteral("safetensors"));
        QCOMPARE(choices[2].files,
                 (QStringList{QStringLiteral("config.json"), QStringLiteral("tokenizer.json"),
                              QStringLiteral("model.safetensors")}));
        for (const char *wrong : {"", "[]", "{}", "{'id':'a/b','sha':'main','siblings':[]}"})
            QVERIFY(throws<Error>([&] { (void)parseRepository(json(wrong)); }));
    }

    void namesStayInTheirFolder()
    {
        for (const char *name : {"a.gguf", "x/y z (1).gguf", "a+b=c,d@e-f.json"})
            QVERIFY2(isSafeName(QString::fromLatin1(name)), name);
        for (const char *name :
             {"", "..", "../a", "a/../b", "/a", "a//b", "a\\b", "C:x", ".hidden", "a/", "a.", "a\nb"})
            QVERIFY2(!isSafeName(QString::fromLatin1(name)), name);
    }

    void searchesAndDescribes()
    {
        HttpServer hub([](const HttpRequest &request) {
            return request.path.startsWith("/api/models?")
                ? ok(json("[{'id':'a/b','downloads':12,'gated':false},{'id':'../x'},{'id':'c/"
                          "d','gated':'manual'}]"))
                : HttpAnswer{.status = 307, .body = {}, .headers = {"Location: /moved"}};
        });
        QNetworkAccessManager network;
        HubClient client(network);
        QSignalSpy found(&client, &HubClient::found);
        QSignalSpy failed(&client, &HubClient::failed);
        client.search({hub.url(), {}}, QStringLiteral("two words & more"));
        QTRY_COMPARE(found.size(), 1);
        const auto results = found.at(0).at(0).value<std::vector<ui::HubResult>>();
        QCOMPARE(results,
                 (std::vector<ui::HubResult>{{QStringLiteral("a/b"), 12, false},
                                             {QStringLiteral("c/d"), 0, true}}));
        QVERIFY(hub.requests.at(0).path.contains("search=two%20words%20%26%20more"));
        client.describe({hub.url(), {}}, {QStringLiteral("a/b"), {}});
        QTRY_COMPARE(failed.size(), 1); // a circle of redirects ends
        QCOMPARE(hub.requests.at(1).path, QByteArray("/api/models/a/b/revision/main?blobs=true"));
    }

    void refusalsAreForPeople()
    {
        int status = 401;
        HttpServer hub([&status](const HttpRequest &) {
            return HttpAnswer{.status = status, .body = "{}", .headers = {}};
        });
        QNetworkAccessManager network;
        HubClient client(network);
        for (const auto &[code, word] :
             {std::pair(401, "token"), {404, "nothing"}, {429, "wait"}, {200, "not the"}}) {
            status = code;
            QSignalSpy failed(&client, &HubClient::failed);
            client.describe({hub.url(), {}}, {QStringLiteral("a/b"), {}});
            QTRY_COMPARE(failed.size(), 1);
            QVERIFY2(failed.at(0).at(0).toString().contains(QLatin1String(word)),
                     qPrintable(failed.at(0).at(0).toString()));
        }
    }

    void bringsAllFilesOfAModel()
    {
        Fixture f;
        const auto queue = f.queue();
        QSignalSpy finished(queue.get(), &DownloadQueue::finished);
        queue->add(f.plan());
        QCOMPARE(f.records(), 1);
        QTRY_COMPARE(finished.size(), 1);
        QCOMPARE(finished.at(0).at(0).toString(), f.plan().folder);
        QCOMPARE(f.records(), 0);
        QCOMPARE(QDir(f.plan().folder).entryList(QDir::Files).size(), 5);
        const ui::DownloadEntry entry = queue->entries().at(0);
        QCOMPARE(entry.state, ui::DownloadEntry::State::Done);
        QCOMPARE(entry.done, 30);
        QCOMPARE(entry.total, 30);
        queue->remove(entry.id);
        QVERIFY(queue->entries().empty());
        QCOMPARE(QDir(f.plan().folder).entryList(QDir::Files).size(), 5); // a model that is there stays
    }

    void aDownloadSurvivesTheProgram()
    {
        Fixture f;
        f.hold = true;
        {
            const auto queue = f.queue();
            queue->add(f.plan());
            QTRY_COMPARE(f.hub.requests.size(), 3); // so many at once
        }
        f.hold = false;
        const auto queue = f.queue();
        QCOMPARE(queue->entries().size(), std::size_t(1));
        QCOMPARE(queue->entries().at(0).state, ui::DownloadEntry::State::Paused);
        queue->resume(queue->entries().at(0).id);
        QTRY_COMPARE(queue->entries().at(0).state, ui::DownloadEntry::State::Done);
        QCOMPARE(f.records(), 0);
    }

    void pausesAndRemoves()
    {
        Fixture f;
        f.hold = true;
        const auto queue = f.queue();
        queue->add(f.plan());
        queue->add(f.plan()); // is there already
        QCOMPARE(queue->entries().size(), std::size_t(1));
        const QString id = queue->entries().at(0).id;
        QTRY_COMPARE(f.hub.requests.size(), 3);
        queue->pause(id);
        QCOMPARE(queue->entries().at(0).state, ui::DownloadEntry::State::Paused);
        QVERIFY(!QDir(f.plan().folder).entryList({QStringLiteral("*.part")}, QDir::Files).isEmpty());
        queue->remove(id);
        QVERIFY(queue->entries().empty());
        QCOMPARE(f.records(), 0);
        QVERIFY(QDir(f.plan().folder).entryList(QDir::Files).isEmpty());
    }

    void aDiskThatIsTooSmallIsToldBefore()
    {
        Fixture f;
        DownloadPlan plan = f.plan();
        plan.files.front().size = qint64(1) << 60;
        const auto queue = f.queue();
        queue->add(plan);
        QCOMPARE(queue->entries().at(0).state, ui::DownloadEntry::State::Failed);
        QVERIFY(queue->entries().at(0).problem.contains(QStringLiteral("make room")));
        QCOMPARE(f.hub.requests.size(), 0);
    }

    void recordsAreReadWithCare()
    {
        Fixture f;
        const DownloadPlan plan = f.plan();
        QCOMPARE(DownloadPlan::fromJson(plan.toJson()), plan);
        DownloadPlan leaves = plan;
        leaves.files.front().name = QStringLiteral("../../x");
        QVERIFY(!DownloadPlan::fromJson(leaves.toJson()));
        QVERIFY(!DownloadPlan::fromJson({}));
    }
};

} // namespace bathyscope::app

QTEST_GUILESS_MAIN(bathyscope::app::HubTest)
#include "hub_test.moc"

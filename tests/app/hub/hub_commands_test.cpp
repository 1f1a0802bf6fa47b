// SPDX-License-Identifier: GPL-3.0-or-later
//
// The page of the hub, used by events, with a hub on loopback that gives a gated model.
#include "app/hub/hub_commands.h"
#include "engine/library/model_description.h"
#include "tests/app/hub/fake_hub.h"
#include "tests/engine/reference_data.h"
#include "ui/library/download_page.h"

#include <QInputDialog>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QTreeWidget>

namespace bathyscope::app {

namespace {

const QByteArray commit(40, 'a');

QByteArray modelFile()
{
    QFile file(QString::fromStdString(testData) + QStringLiteral("/gguf/qwen3-tiny.gguf"));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

struct Fixture {
    QByteArray file = modelFile();
    HttpServer hub{[this](const HttpRequest &request) { return answer(request); }};
    QTemporaryDir folder;
    ui::LibraryWindow window;
    std::unique_ptr<HubCommands> commands;

    Fixture()
    {
        qputenv("HF_ENDPOINT", hub.url().toEncoded());
        commands = std::make_unique<HubCommands>(folder.filePath(QStringLiteral("models")),
                                                 folder.filePath(QStringLiteral("records")));
        commands->connectWindow(window);
        window.findChild<QTabWidget *>()->setCurrentWidget(window.downloads());
        window.show();
    }

    [[nodiscard]] HttpAnswer answer(const HttpRequest &request) const
    {
        if (request.headers.value("authorization") != "Bearer right")
            return {.status = 401, .body = {}, .headers = {}};
        if (request.path == "/api/models/some/Model/revision/main?blobs=true") {
            QByteArray text = "{'id':'some/Model','sha':'" + commit
                + "','gated':'auto','siblings':[{'rfilename':'tiny-BF16.gguf','size':"
                + QByteArray::number(file.size()) + "}]}";
            return {.status = 200, .body = text.replace('\'', '"'), .headers = {}};
        }
        if (request.path == "/some/Model/resolve/" + commit + "/tiny-BF16.gguf")
            return rangeOf(file, request);
        return {.status = 404, .body = {}, .headers = {}};
    }

    void search(const QString &text)
    {
        auto *field = window.downloads()->findChild<QLineEdit *>();
        field->clear();
        QTest::keyClicks(field, text);
        QTest::keyClick(field, Qt::Key_Return);
    }

    [[nodiscard]] QPushButton *button(const QString &text) const
    {
        for (QPushButton *each : window.downloads()->findChildren<QPushButton *>())
            if (each->text() == text)
                return each;
        return nullptr;
    }

    [[nodiscard]] bool shows(const QString &text) const
    {
        const auto labels = window.downloads()->findChildren<QLabel *>();
        return std::any_of(labels.begin(), labels.end(), [&](const QLabel *label) {
            return label->isVisible() && label->text().contains(text);
        });
    }

    /// As the user does, in the dialog that asks for it.
    void enterToken(const QString &token)
    {
        QTimer::singleShot(0, &window, [this, token] {
            auto *dialog = window.findChild<QInputDialog *>();
            QVERIFY(dialog != nullptr);
            dialog->setTextValue(token);
            dialog->accept();
        });
        button(QStringLiteral("Access token…"))->click();
    }
};

} // namespace

class HubCommandsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        // The secrets of whoever runs the test are theirs.
        qputenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    }

    void aGatedModelArrives()
    {
        Fixture f;
        QVERIFY(!f.file.isEmpty());
        f.search(QStringLiteral("some/Model"));
        QTRY_VERIFY(f.shows(QStringLiteral("access token")));
        f.enterToken(QStringLiteral("right"));
        QTRY_VERIFY(f.shows(QStringLiteral("forgotten when")) || f.shows(QStringLiteral("secret store")));
        f.search(QStringLiteral("https://huggingface.co/some/Model"));
        QTRY_VERIFY(f.button(QStringLiteral("Download")) != nullptr);
        QTreeWidget *choices = nullptr;
        for (QTreeWidget *list : f.window.downloads()->findChildren<QTreeWidget *>())
            if (list->accessibleName() == QStringLiteral("Versions of the model"))
                choices = list;
        QTRY_COMPARE(choices->topLevelItemCount(), 1);
        choices->setCurrentItem(choices->topLevelItem(0));
        QSignalSpy arrived(f.commands.get(), &HubCommands::arrived);
        f.button(QStringLiteral("Download"))->click();
        QTRY_COMPARE(arrived.size(), 1);
        const QString path = arrived.at(0).at(0).toString() + QStringLiteral("/tiny-BF16.gguf");
        QCOMPARE(path, f.folder.filePath(QStringLiteral("models/some/Model/tiny-BF16.gguf")));
        QCOMPARE(describeModel(path.toStdString()).refusal, std::string());
        QVERIFY(!f.window.downloads()->isHidden());
    }

    void whatTheHubDoesNotHaveIsTold()
    {
        Fixture f;
        f.enterToken(QStringLiteral("right"));
        f.search(QStringLiteral("some/Other"));
        QTRY_VERIFY(f.shows(QStringLiteral("nothing of that name")));
    }
};

} // namespace bathyscope::app

QTEST_MAIN(bathyscope::app::HubCommandsTest)
#include "hub_commands_test.moc"

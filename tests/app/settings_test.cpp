// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/settings.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

namespace bathyscope::app {

class SettingsTest : public QObject {
    Q_OBJECT

private slots:
    void allIsRemembered()
    {
        const QTemporaryDir folder;
        const ui::Preferences preferences{.scheme = ui::ColorScheme::Dark,
                                          .textSize = 125,
                                          .traceMegabytes = 500,
                                          .traceDays = 90,
                                          .historyFolder = QStringLiteral("/somewhere")};
        const LocalBackendOptions loading{.device = "cuda:1",
                                          .threads = 3,
                                          .contextLength = 1024,
                                          .quantise = true,
                                          .bf16Activations = true,
                                          .hostExperts = true};
        SamplingParameters sampling;
        sampling.temperature = 0.25F;
        sampling.topK = 7;
        sampling.seed = 18446744073709551615U;
        {
            Settings settings(folder.path());
            settings.setPreferences(preferences);
            settings.setLoading(loading);
            settings.setSampling(sampling);
            settings.setSystemPrompt(QStringLiteral("Täglich, \"kurz\""));
            settings.setLastConversation(1LL << 60);
            settings.setLastModel(QStringLiteral("/a"), false);
            settings.setLastModel(QStringLiteral("/b"), false);
            settings.setLastModel(QStringLiteral("/a"), false);
        }
        const Settings settings(folder.path());
        QVERIFY(settings.preferences() == preferences);
        QVERIFY(settings.loading() == loading);
        QVERIFY(settings.sampling() == sampling);
        QCOMPARE(settings.systemPrompt(), QStringLiteral("Täglich, \"kurz\""));
        QCOMPARE(settings.lastConversation(), 1LL << 60);
        QCOMPARE(settings.recentModels(), QStringList({QStringLiteral("/a"), QStringLiteral("/b")}));
    }

    void nonsenseIsAsIfNotWritten()
    {
        const QTemporaryDir folder;
        QFile file(folder.filePath(QStringLiteral("settings.ini")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("[General]\ncolors=purple\ntextSize=9999\nthreads=-3\ncontextLength=many\nquantise=\n");
        file.close();
        QVERIFY(Settings(folder.path()).preferences() == ui::Preferences());
        QVERIFY(Settings(folder.path()).loading() == LocalBackendOptions());
        QVERIFY(!Settings(folder.path()).sampling());
    }
};

} // namespace bathyscope::app

QTEST_MAIN(bathyscope::app::SettingsTest)
#include "settings_test.moc"

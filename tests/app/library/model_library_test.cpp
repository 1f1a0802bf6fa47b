// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/model_library.h"
#include "tests/engine/reference_data.h"

#include <QDir>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

namespace bathyscope::app {

namespace {

using Fit = ui::LibraryEntry::Fit;

constexpr std::int64_t giga = 1'000'000'000;

DeviceList machineWith(std::int64_t memory)
{
    return {{{"cpu", "CPU", {memory, memory}}}, "No GPU."};
}

double tenGigabytes(const std::string &device)
{
    return device == "cpu" ? 10e9 : 0;
}

/// All that was told of the models of one search, by title.
std::map<QString, ui::LibraryEntry> look(ModelLibrary &library, const std::vector<ModelPlace> &places)
{
    std::map<QString, ui::LibraryEntry> entries;
    QObject context;
    QObject::connect(&library, &ModelLibrary::described, &context,
                     [&](const ui::LibraryEntry &entry) { entries[entry.title] = entry; });
    QSignalSpy finished(&library, &ModelLibrary::finished);
    library.search({.places = places, .loading = {}, .loaded = {}});
    if (!finished.wait(20000))
        return {};
    return entries;
}

} // namespace

class ModelLibraryTest : public QObject {
    Q_OBJECT

private slots:
    void tellsWhatIsThereAndHowItRuns()
    {
        ModelLibrary library([] { return machineWith(8 * giga); }, tenGigabytes);
        QSignalSpy found(&library, &ModelLibrary::found);
        const QString data = QString::fromStdString(testData);
        const auto entries = look(library,
                                  {{QStringLiteral("Files"), data + QStringLiteral("/gguf")},
                                   {QStringLiteral("Directory"), data + QStringLiteral("/qwen3-moe-tiny")},
                                   {QStringLiteral("Again"), data + QStringLiteral("/gguf")}});
        QCOMPARE(found.size(), 1);
        QCOMPARE(entries.size(), std::size_t(6)); // two are called qwen3-moe-tiny
        const ui::LibraryEntry &split = entries.at(QStringLiteral("qwen2-tiny"));
        QCOMPARE(split.place, QStringLiteral("Files"));
        QCOMPARE(split.architecture, QStringLiteral("qwen2"));
        QCOMPARE(split.fit, Fit::Ram);
        QVERIFY(split.verdict.contains(QStringLiteral("CPU")));
        QVERIFY(split.parameters > 0 && split.bytes > 0 && split.contextLength > 0);
        QVERIFY(split.speed > 1000 && split.speed < 10e9);
    }

    void whatIsTooLargeSaysSo()
    {
        ModelLibrary library([] { return machineWith(1000); }, tenGigabytes);
        const auto entries =
            look(library,
                 {{QStringLiteral("x"), QString::fromStdString(testData) + QStringLiteral("/qwen3-tiny")}});
        const ui::LibraryEntry &entry = entries.at(QStringLiteral("qwen3-tiny"));
        QCOMPARE(entry.fit, Fit::TooLarge);
        QVERIFY(entry.verdict.contains(QStringLiteral("A smaller quantisation would fit.")));
        QCOMPARE(entry.speed, 0.0);
    }

    void aNewSearchEndsTheOneBefore()
    {
        ModelLibrary library([] { return machineWith(8 * giga); }, tenGigabytes);
        QSignalSpy finished(&library, &ModelLibrary::finished);
        const QString data = QString::fromStdString(testData);
        library.search({.places = {{QStringLiteral("x"), data}}, .loading = {}, .loaded = {}});
        const auto entries = look(library, {{QStringLiteral("y"), data + QStringLiteral("/qwen3-tiny")}});
        QCOMPARE(entries.count(QStringLiteral("qwen3-tiny")), std::size_t(1));
        QCOMPARE(entries.at(QStringLiteral("qwen3-tiny")).place, QStringLiteral("y"));
        QCOMPARE(finished.size(), 1);
        QVERIFY(!library.isSearching());
    }

    void placesFollowTheEnvironment()
    {
        const QString home = QStringLiteral("/home/somebody");
        const auto folderOf = [&home](int place) {
            return standardPlaces(QStringLiteral("/own"), home)[static_cast<std::size_t>(place)].folder;
        };
        for (const char *variable : {"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "OLLAMA_MODELS"})
            qunsetenv(variable);
        QCOMPARE(folderOf(0), QStringLiteral("/own"));
        QCOMPARE(folderOf(1), home + QStringLiteral("/.cache/huggingface/hub"));
        QCOMPARE(folderOf(4), home + QStringLiteral("/.ollama/models"));
        qputenv("HF_HOME", "/data/hf/");
        QCOMPARE(folderOf(1), QStringLiteral("/data/hf/hub"));
        qputenv("HF_HUB_CACHE", "/data/cache");
        QCOMPARE(folderOf(1), QStringLiteral("/data/cache"));
        qputenv("OLLAMA_MODELS", "/data/ollama");
        QCOMPARE(folderOf(4), QStringLiteral("/data/ollama"));
    }
};

} // namespace bathyscope::app

QTEST_GUILESS_MAIN(bathyscope::app::ModelLibraryTest)
#include "model_library_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
//
// The program with made-up devices and an engine that plans for them.
#include "app/program.h"
#include "tests/app/fake_backend.h"
#include "ui/devices/device_dialog.h"

#include <QAction>
#include <QPushButton>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <mutex>

namespace bathyscope::app {

namespace {

constexpr std::int64_t giga = 1'000'000'000;
const QString model = QStringLiteral("/large");

DeviceList oneGpu()
{
    return {{{"cpu", "CPU", {64 * giga, 50 * giga}}, {"cuda:0", "GPU", {13 * giga, 12 * giga}}}, {}};
}

/// 10 GB, and 400 kB a token: 5,000 tokens fit.
std::shared_ptr<const ModelMemory> largeModel()
{
    ModelMemory memory;
    memory.layers.resize(2, {.fixed = {5 * giga, 5 * giga}, .expert = {}, .experts = 0});
    memory.cacheWidth = 100'000;
    memory.contextLength = 65536;
    return std::make_shared<const ModelMemory>(memory);
}

/// Opens any model but refuses the large one where it does not fit.
class Opener {
public:
    std::unique_ptr<Backend> open(const std::string &directory, const LocalBackendOptions &options)
    {
        const std::lock_guard lock(m_mutex);
        m_calls.emplace_back(directory, options);
        const auto needs = largeModel();
        const MemoryPlan plan = planMemory(*needs, oneGpu(), options);
        if (directory == model.toStdString() && !plan.fits())
            throw DoesNotFit(plan, needs);
        return makeFakeBackend(std::make_shared<FakeScript>());
    }

    [[nodiscard]] std::pair<std::string, LocalBackendOptions> lastCall() const
    {
        const std::lock_guard lock(m_mutex);
        return m_calls.empty() ? std::pair<std::string, LocalBackendOptions>() : m_calls.back();
    }

private:
    mutable std::mutex m_mutex;
    std::vector<std::pair<std::string, LocalBackendOptions>> m_calls;
};

struct Running {
    explicit Running(const LocalBackendOptions &loading)
        : settings(folder.path())
    {
        settings.setLoading(loading);
        Options options;
        options.model = model;
        program.emplace(
            options, folder.path(), openHistory(folder.path()),
            [opener = opener](const std::string &directory, const LocalBackendOptions &wanted,
                              const Predecessor &,
                              const LoadObserver &) { return opener->open(directory, wanted); },
            oneGpu);
        program->start();
    }

    [[nodiscard]] ui::DeviceDialog *dialog() { return program->window().findChild<ui::DeviceDialog *>(); }

    QTemporaryDir folder;
    Settings settings;
    std::shared_ptr<Opener> opener = std::make_shared<Opener>();
    std::optional<Program> program;
};

} // namespace

class DeviceChooserTest : public QObject {
    Q_OBJECT

private slots:
    void aRefusedModelIsLoadedWithWhatFits()
    {
        Running running({.device = "cuda:0", .contextLength = 8192});
        QTRY_VERIFY(running.dialog() != nullptr);
        QVERIFY(running.program->window().shownError().contains(QStringLiteral("12.0 GB are free")));
        QVERIFY(!running.dialog()->fits());
        const auto buttons = running.dialog()->findChildren<QPushButton *>();
        const auto advice = std::ranges::find_if(
            buttons, [](const QPushButton *button) { return button->text().contains("a context of 4096"); });
        QVERIFY(advice != buttons.end());
        (*advice)->click();
        QVERIFY(running.dialog()->fits());
        running.dialog()->accept();
        QTRY_COMPARE(running.opener->lastCall().second.contextLength, 4096);
        QCOMPARE(running.opener->lastCall().first, model.toStdString());
        QTRY_VERIFY(running.dialog() == nullptr);
        QTRY_VERIFY(running.program->controller().model() != nullptr);
        QCOMPARE(running.program->controller().model()->name, std::string("fake"));
    }

    void theDeviceIsChangedInTheWindow()
    {
        Running running({.device = "cpu"});
        QTRY_VERIFY(running.program->controller().model() != nullptr);
        const auto actions = running.program->window().actions();
        const auto action = std::ranges::find_if(
            actions, [](const QAction *each) { return each->shortcut() == QKeySequence("Ctrl+D"); });
        QVERIFY(action != actions.end());
        (*action)->trigger();
        QTRY_VERIFY(running.dialog() != nullptr);
        QCOMPARE(running.dialog()->options().device, std::string("cpu"));
        running.dialog()->setOptions({.device = "cuda:0", .fallBack = true, .contextLength = 2048});
        running.dialog()->accept();
        QTRY_COMPARE(running.opener->lastCall().second.device, std::string("cuda:0"));
        QCOMPARE(Settings(running.folder.path()).loading().contextLength, 2048);
    }
};

} // namespace bathyscope::app

QTEST_MAIN(bathyscope::app::DeviceChooserTest)
#include "device_chooser_test.moc"

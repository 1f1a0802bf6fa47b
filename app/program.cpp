// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/program.h"

#include "app/model_locator.h"
#include "engine/error.h"
#include "engine/models/authors_advice.h"
#include "ui/chat/chat_view.h"
#include "ui/chat/composer.h"
#include "ui/inspector/inspector.h"
#include "ui/inspector/memory_page.h"
#include "ui/panels/sampling_panel.h"
#include "ui/window/dialogs.h"
#include "ui/window/settings_dialog.h"

#include <QApplication>
#include <QDir>

namespace bathyscope::app {

namespace {

constexpr QSize offscreenSize(1440, 900);

ui::SaveState toShown(HistoryClient::State state)
{
    switch (state) {
    case HistoryClient::State::Saved:
        return ui::SaveState::Saved;
    case HistoryClient::State::Saving:
        return ui::SaveState::Saving;
    case HistoryClient::State::NotSaved:
        return ui::SaveState::NotSaved;
    case HistoryClient::State::ReadOnly:
        return ui::SaveState::ReadOnly;
    }
    return ui::SaveState::NotSaved;
}

std::unique_ptr<ui::MainWindow> makeWindow(ui::ColorScheme scheme, ChatController &controller,
                                           ConversationShelf &shelf)
{
    ui::theme::apply(*qApp, scheme); // before there are widgets
    return std::make_unique<ui::MainWindow>(controller.messages(), controller.selection(), shelf.model());
}

} // namespace

Program::Program(const Options &options, const QString &profile, ProfileHistory history,
                 OpenDirectory openDirectory, DeviceChooser::ListDevices listDevices)
    : m_options(options)
    , m_profile(profile)
    , m_settings(profile)
    , m_openDirectory(std::move(openDirectory))
    , m_history(std::move(history))
    , m_controller(m_engine, m_history)
    , m_analyst(m_engine, m_controller)
    , m_versions(m_controller, m_history)
    , m_shelf(m_history)
    , m_traces(m_controller)
    , m_window(makeWindow(options.scheme.value_or(m_settings.preferences().scheme), m_controller, m_shelf))
    , m_chooser(listDevices, m_window.get())
{
    m_library = std::make_unique<LibraryCommands>(
        m_settings, profile + QStringLiteral("/models"), std::move(listDevices),
        [this] {
            return LibraryCommands::Circumstances{loading(), loadedPlan()};
        },
        m_window.get());
    m_historyCommands = std::make_unique<HistoryCommands>(m_history, m_controller, *m_window);
    connectWindow();
    connectSampling();
    connectConversations();
    connectEngine();
}

Program::~Program()
{
    m_settings.setWindowLayout(m_window->saveLayout());
}

void Program::start()
{
    m_window->restoreLayout(m_settings.windowLayout());
    if (m_options.size.isValid())
        m_window->resize(m_options.size);
    else if (m_options.offscreen)
        m_window->resize(offscreenSize);
    m_window->inspector()->setCurrentPage(m_options.page);
    m_window->show();
    const ConversationId last = m_options.prompts.isEmpty() ? m_settings.lastConversation() : 0;
    m_controller.startNew(m_settings.systemPrompt());
    onHistoryState(m_history.state(), {});
    limitTraces();
    connect(
        &m_shelf, &ConversationShelf::refreshed, this, [this, last] { reopen(last); },
        static_cast<Qt::ConnectionType>(Qt::AutoConnection | Qt::SingleShotConnection));
    m_shelf.refresh();
    showModels();
    const QString model = m_settings.lastModel();
    openModel(!m_options.model.isEmpty() ? m_options.model
                  : model.isEmpty()      ? builtinModelDirectory()
                                         : model);
}

LocalBackendOptions Program::loading() const
{
    LocalBackendOptions loading = m_settings.loading();
    if (!m_options.device.isEmpty())
        loading.device = m_options.device.toStdString();
    loading.threads = m_options.threads.value_or(loading.threads);
    loading.contextLength = m_options.contextLength.value_or(loading.contextLength);
    loading.fallBack = true;
    return loading;
}

void Program::connectWindow()
{
    ui::MainWindow *window = m_window.get();
    connect(window->composer(), &ui::Composer::submitted, &m_controller, &ChatController::ask);
    connect(window->composer(), &ui::Composer::editSubmitted, &m_controller, &ChatController::edit);
    connect(window->chat(), &ui::ChatView::examplePicked, &m_controller, &ChatController::ask);
    connect(window->chat(), &ui::ChatView::siblingRequested, &m_controller, &ChatController::showSibling);
    connect(&m_controller, &ChatController::siblingsChanged, window->chat(), &ui::ChatView::setSiblings);
    connect(window, &ui::MainWindow::stopRequested, &m_controller, &ChatController::stop);
    connect(window, &ui::MainWindow::cancelLoadRequested, &m_engine, &EngineClient::cancelLoads);
    connect(window, &ui::MainWindow::regenerateRequested, &m_controller, &ChatController::regenerate);
    connect(window, &ui::MainWindow::openModelRequested, this,
            [this](const QString &path) { openModel(path); });
    connect(window, &ui::MainWindow::libraryRequested, m_library.get(), &LibraryCommands::show);
    connect(m_library.get(), &LibraryCommands::openRequested, this, &Program::openModel);
    connect(m_library.get(), &LibraryCommands::told, window, &ui::MainWindow::showNotice);
    connect(m_library.get(), &LibraryCommands::failed, window, &ui::MainWindow::showError);
    connect(m_library.get(), &LibraryCommands::openFileRequested, window, &ui::MainWindow::pickModel);
    connect(window, &ui::MainWindow::settingsRequested, this, &Program::editPreferences);
    connect(window, &ui::MainWindow::deviceRequested, this, &Program::chooseDevice);
    connect(&m_chooser, &DeviceChooser::chosen, this, &Program::changeLoading);
    connect(&m_controller, &ChatController::replyingChanged, window, &ui::MainWindow::setReplying);
    connect(&m_controller, &ChatController::statusChanged, window->bottomBar(), &ui::BottomBar::setStatus);
    connect(&m_controller, &ChatController::statusChanged, window->inspector()->memory(),
            [window](const ui::EngineStatus &status) {
                window->inspector()->memory()->setTokens(status.contextUsed);
            });
    connect(&m_history, &HistoryClient::stateChanged, this, &Program::onHistoryState);
    connect(&m_history, &HistoryClient::told, window, &ui::MainWindow::showError);
    connect(&m_history, &HistoryClient::clockBehind, window, &ui::MainWindow::setClockProblem);
    m_historyCommands->connectWindow();
    connect(window, &ui::MainWindow::traceRequested, &m_traces, &TraceExport::write);
    connect(&m_traces, &TraceExport::failed, window, &ui::MainWindow::showError);
    connect(&m_traces, &TraceExport::written, window, [window](const QString &file) {
        window->showNotice(tr("The trace is in %1.").arg(QDir::toNativeSeparators(file)));
    });
    connect(m_historyCommands.get(), &HistoryCommands::changed, &m_shelf, &ConversationShelf::refresh);
}

void Program::onHistoryState(HistoryClient::State state, const QString &detail)
{
    m_window->bottomBar()->setSaveState(toShown(state), detail);
    if (state == HistoryClient::State::NotSaved)
        m_window->setStorageProblem(
            tr("Not saved: %1\nYou can go on. What is said waits in memory and is stored "
               "as soon as this works again.")
                .arg(detail));
    else if (state == HistoryClient::State::ReadOnly)
        m_window->setStorageProblem({});
    else if (!m_window->storageProblem().isEmpty()) {
        m_window->setStorageProblem({});
        m_shelf.refresh();
    }
}

/// `obstacle`: why the model cannot be asked; empty: it can be.
void Program::allowAsking(const QString &obstacle)
{
    const bool readOnly = m_history.state() == HistoryClient::State::ReadOnly;
    m_window->composer()->setDisabledReason(readOnly ? tr("This history is open for reading only.")
                                                     : obstacle);
}

void Program::limitTraces()
{
    if (m_history.state() == HistoryClient::State::ReadOnly)
        return;
    constexpr std::int64_t bytesPerMegabyte = 1'000'000;
    constexpr storage::Milliseconds millisecondsPerDay = 24LL * 60 * 60 * 1000;
    const ui::Preferences preferences = m_settings.preferences();
    const storage::TraceLimits limits{.bytes = preferences.traceMegabytes * bytesPerMegabyte,
                                      .age = preferences.traceDays * millisecondsPerDay};
    m_history.write([limits](storage::History &history) { history.setTraceLimits(limits); });
}

void Program::connectSampling()
{
    ui::SamplingPanel *panel = m_window->sampling();
    connect(panel, &ui::SamplingPanel::changed, this, [this](const SamplingParameters &sampling) {
        // The user's hand counts more than the command line.
        m_options.temperature.reset();
        m_options.seed.reset();
        const auto model = m_controller.model();
        m_settings.setSampling(model && sampling == model->defaults ? std::nullopt : std::optional(sampling));
        applySampling(sampling);
    });
    connect(panel, &ui::SamplingPanel::systemPromptChanged, this, [this](const QString &text) {
        m_settings.setSystemPrompt(text);
        m_controller.setSystemPrompt(text);
    });
}

void Program::connectConversations()
{
    ui::ConversationList *list = m_window->conversations();
    connect(list, &ui::ConversationList::openRequested, &m_controller, &ChatController::open);
    connect(list, &ui::ConversationList::removeRequested, &m_controller, &ChatController::remove);
    connect(list, &ui::ConversationList::pinRequested, &m_shelf, &ConversationShelf::setPinned);
    connect(list, &ui::ConversationList::searchRequested, &m_shelf, &ConversationShelf::search);
    connect(list, &ui::ConversationList::moveRequested, &m_shelf, &ConversationShelf::moveToFolder);
    connect(list, &ui::ConversationList::newFolderRequested, &m_shelf, &ConversationShelf::createFolder);
    connect(list, &ui::ConversationList::removeFolderRequested, &m_shelf, &ConversationShelf::removeFolder);
    connect(&m_controller, &ChatController::messageOpened, m_window->chat(), &ui::ChatView::scrollToMessage);
    const auto startNew = [this] {
        m_controller.startNew(m_settings.systemPrompt());
        m_window->composer()->setFocus();
    };
    connect(m_window.get(), &ui::MainWindow::newRequested, this, startNew);
    connect(&m_controller, &ChatController::conversationRemoved, this, startNew);
    connect(&m_controller, &ChatController::historyChanged, &m_shelf, &ConversationShelf::refresh);
    connect(&m_shelf, &ConversationShelf::refreshed, this, &Program::showTitle);
    connect(&m_controller, &ChatController::conversationChanged, this,
            [this, list](ConversationId id, const QString &systemPrompt) {
                list->setCurrent(id);
                m_window->sampling()->setSystemPrompt(systemPrompt);
                m_settings.setLastConversation(id);
                showTitle();
            });
}

void Program::connectEngine()
{
    connect(&m_engine, &EngineClient::loadProgress, this, &Program::onLoadProgress);
    connect(&m_engine, &EngineClient::modelLoaded, this, &Program::onModelLoaded);
    connect(&m_engine, &EngineClient::loadFailed, this, &Program::onLoadFailed);
    m_window->inspector()->setModelProvider(
        [this](ui::MessageId message) { return m_controller.modelOf(message); });
    m_window->inspector()->setAnalysisSource(&m_analyst);
    connect(m_window->inspector(), &ui::Inspector::siblingRequested, &m_controller,
            &ChatController::showSibling);
    connect(&m_versions, &VersionReader::versionsRead, this, [this](const ui::ReplyVersions &versions) {
        m_window->inspector()->addVersions(versions);
        m_window->chat()->setVersions(versions);
    });
    connect(m_window->inspector(), &ui::Inspector::forkRequested, this,
            [this](const ui::TokenPosition &at, TokenId token) {
                m_controller.fork(at.message, at.token, std::vector<TokenId>{token});
            });
    connect(m_window->inspector(), &ui::Inspector::forkTextRequested, this,
            [this](const ui::TokenPosition &at, const QString &text) {
                m_controller.fork(at.message, at.token, text.toStdString());
            });
}

void Program::showTitle()
{
    m_window->setConversationTitle(m_shelf.model()->titleOf(m_controller.conversation()));
}

/// Unless the user has begun another one, or it is gone.
void Program::reopen(ConversationId last)
{
    if (m_controller.conversation() == 0 && m_shelf.model()->rowOf(last) >= 0)
        m_controller.open(last);
}

void Program::tellOfCrash(const QString &report)
{
    if (m_options.offscreen)
        m_window->showNotice(
            tr("Bathyscope ended unexpectedly the last time. %1 tells where; no text of yours is "
               "in it.")
                .arg(QDir::toNativeSeparators(report)));
    else
        ui::showCrashReport(m_window.get(), report);
}

QString Program::titleOf(const QString &path) const
{
    if (isBuiltinModel(path))
        return tr("Built-in");
    const QString title = m_settings.modelTitle(path);
    return title.isEmpty() ? QString::fromStdString(modelTitle(fromUtf8(path.toStdString()))) : title;
}

void Program::openModel(const QString &path, const QString &title)
{
    if (path.isEmpty()) {
        onLoadFailed({tr("The built-in model was not found beside the program. Open a model directory.")
                          .toStdString()});
        return;
    }
    m_engine.cancelLoads();
    m_controller.stop();
    m_loading = path;
    if (!title.isEmpty())
        m_settings.setModelTitle(path, title);
    m_window->setLoading(titleOf(path));
    allowAsking(tr("The model is being loaded."));
    m_engine.load([open = m_openDirectory, file = path.toStdString(),
                   options = loading()](const Predecessor &predecessor, const LoadObserver &observer) {
        return open(file, options, predecessor, observer);
    });
}

void Program::onLoadProgress(const LoadProgress &progress)
{
    m_window->setLoading(titleOf(m_loading), progress.done, progress.total);
}

void Program::onModelLoaded(const ModelLoaded &event)
{
    const bool first = m_directory.isEmpty();
    m_directory = m_loading;
    const bool builtin = isBuiltinModel(m_directory);
    if (m_options.model.isEmpty() || m_directory != m_options.model)
        m_settings.setLastModel(m_directory, builtin);
    m_window->setModel(event.model, titleOf(m_directory));
    allowAsking({});
    if (first)
        m_window->composer()->setFocus();
    m_window->composer()->setPlaceholder(builtin ? tr("Ask for a calculation or a small puzzle")
                                                 : tr("Ask %1").arg(titleOf(m_directory)));
    m_window->chat()->setExamples(
        builtin ? QStringList{tr("What is 25 * 37?"), tr("Which is larger, 9.11 or 9.9?"),
                              tr("Solve 2x - 9 = 21."), tr("Is 143 a prime number?")}
                : QStringList());
    m_analyst.setCapabilities(event.capabilities);
    m_window->inspector()->setModel(event.model);
    m_window->inspector()->setUnavailable(
        event.capabilities.maxCandidates > 0
            ? QString()
            : tr("This backend does not tell the probabilities of its tokens."));
    m_window->sampling()->setDefaults(event.model.defaults);
    showAdvice(event.model);
    applySampling(m_settings.sampling().value_or(event.model.defaults));
    showModels();
    // Another device than the one that was asked for is no secret.
    const std::string wanted = loading().device;
    const MemoryPlan &plan = event.model.plan;
    if (wanted != "auto" && wanted != "cpu" && !plan.onGpu() && !plan.note.empty())
        m_window->showError(QString::fromStdString(plan.note));
}

/// What the files say counts more than what is known of their family.
void Program::showAdvice(const ModelInfo &model)
{
    const auto family = authorsAdvice(model.name);
    if (!family && model.defaults == SamplingParameters()) {
        m_window->sampling()->setAdvice(std::nullopt);
        return;
    }
    m_window->sampling()->setAdvice(
        ui::SamplingPanel::Advice{model.defaults, family && family->noSystemPrompt});
}

void Program::onLoadFailed(const LoadFailed &event)
{
    if (event.cancelled && m_engine.isLoading())
        return; // it made way for another one
    if (!event.cancelled)
        m_window->showError(QString::fromStdString(event.error));
    const QString failed = m_loading;
    if (event.modelGone)
        m_directory.clear();
    m_loading = m_directory;
    const QString builtin = builtinModelDirectory();
    if (event.needs && !m_options.offscreen)
        m_chooser.ask({failed, titleOf(failed), event.needs, loadedPlan(), loading()});
    if (const auto model = m_controller.model(); model && !event.modelGone) {
        m_window->setModel(*model, titleOf(m_directory));
        allowAsking({});
    } else if (!builtin.isEmpty() && !isBuiltinModel(failed) && !m_options.offscreen) {
        openModel(builtin);
    } else {
        m_window->setNoModel();
        allowAsking(tr("No model is loaded. Open a model directory."));
    }
}

void Program::showModels()
{
    std::vector<ui::RecentModel> recent;
    for (const QString &directory : m_settings.recentModels())
        recent.push_back({titleOf(directory), directory});
    m_window->topBar()->setModels(builtinModelDirectory(), recent);
}

void Program::applySampling(const SamplingParameters &sampling)
{
    SamplingParameters effective = sampling;
    effective.temperature = m_options.temperature.value_or(effective.temperature);
    if (m_options.seed)
        effective.seed = m_options.seed;
    m_window->sampling()->setParameters(effective);
    m_controller.setSampling(effective);
}

void Program::editPreferences()
{
    m_history.read<std::int64_t>(
        [](storage::History &history) { return history.traceBytes(); },
        [this](std::int64_t traceBytes) {
            ui::SettingsDialog dialog(
                m_settings.preferences(),
                {.traceBytes = traceBytes, .ownFolder = QDir::toNativeSeparators(m_profile)}, m_window.get());
            if (dialog.exec() == QDialog::Accepted)
                changePreferences(dialog.preferences());
        });
}

void Program::changePreferences(const ui::Preferences &wanted)
{
    const ui::Preferences before = m_settings.preferences();
    m_settings.setPreferences(wanted);
    if (wanted.traceMegabytes != before.traceMegabytes || wanted.traceDays != before.traceDays)
        limitTraces();
    if (wanted.scheme != before.scheme)
        ui::theme::apply(*qApp, wanted.scheme);
}

/// What the loaded model holds of the devices.
MemoryPlan Program::loadedPlan() const
{
    const auto model = m_controller.model();
    return model && !m_directory.isEmpty() ? model->plan : MemoryPlan();
}

void Program::chooseDevice()
{
    const auto model = m_controller.model();
    m_chooser.ask({m_directory, m_directory.isEmpty() ? QString() : titleOf(m_directory),
                   model ? model->needs : nullptr, loadedPlan(), loading()});
}

void Program::changeLoading(const QString &directory, const LocalBackendOptions &wanted)
{
    const bool same = wanted == loading() && directory == m_directory;
    // The user's hand counts more than the command line.
    m_options.device.clear();
    m_options.threads.reset();
    m_options.contextLength.reset();
    m_settings.setLoading(wanted);
    if (!same && !directory.isEmpty())
        openModel(directory);
}

} // namespace bathyscope::app

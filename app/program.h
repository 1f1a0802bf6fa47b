// SPDX-License-Identifier: GPL-3.0-or-later
//
// The rooms made one program: window, conversation, history, engine and settings.
#pragma once

#include "app/analyst.h"
#include "app/chat_controller.h"
#include "app/command_line.h"
#include "app/conversation_shelf.h"
#include "app/device_chooser.h"
#include "app/engine_client.h"
#include "app/history_client.h"
#include "app/history_commands.h"
#include "app/library/library_commands.h"
#include "app/profile_history.h"
#include "app/settings.h"
#include "app/trace_export.h"
#include "app/version_reader.h"
#include "engine/executor/devices.h"
#include "ui/window/main_window.h"

#include <QObject>

#include <functional>
#include <memory>
#include <string>

namespace bathyscope::app {

/// Loads a model directory; throws Error.
using OpenDirectory =
    std::function<std::unique_ptr<Backend>(const std::string &directory, const LocalBackendOptions &options,
                                           const Predecessor &predecessor, const LoadObserver &observer)>;

class Program : public QObject {
    Q_OBJECT

public:
    /// `profile`: folder of the settings. `openDirectory` is called on the engine thread, `listDevices` on
    /// another.
    Program(const Options &options, const QString &profile, ProfileHistory history,
            OpenDirectory openDirectory = openLocalBackend,
            DeviceChooser::ListDevices listDevices = bathyscope::listDevices);
    ~Program() override;

    /// Shows the window, and begins to load the model and the list of conversations.
    void start();

    [[nodiscard]] ui::MainWindow &window() { return *m_window; }
    [[nodiscard]] ChatController &controller() { return m_controller; }
    [[nodiscard]] ConversationShelf &shelf() { return m_shelf; }
    [[nodiscard]] EngineClient &engine() { return m_engine; }
    [[nodiscard]] HistoryClient &history() { return m_history; }
    [[nodiscard]] HistoryCommands &historyCommands() { return *m_historyCommands; }
    [[nodiscard]] LibraryCommands &library() { return *m_library; }

    /// `title`: for people; empty: as it was called before, or as its path says.
    void openModel(const QString &path, const QString &title = {});
    /// The last run ended by a fault, and this file tells about it.
    void tellOfCrash(const QString &report);

private:
    void connectWindow();
    void connectSampling();
    void connectConversations();
    void connectEngine();
    void onHistoryState(HistoryClient::State state, const QString &detail);
    void allowAsking(const QString &obstacle);
    void limitTraces();
    void showModels();
    void showAdvice(const ModelInfo &model);
    void onLoadProgress(const LoadProgress &progress);
    void onModelLoaded(const ModelLoaded &event);
    void onLoadFailed(const LoadFailed &event);
    void applySampling(const SamplingParameters &sampling);
    void changePreferences(const ui::Preferences &wanted);
    void editPreferences();
    void chooseDevice();
    void changeLoading(const QString &directory, const LocalBackendOptions &wanted);
    void reopen(ConversationId last);
    void showTitle();
    /// How models are loaded: as the command line says, else as the settings do.
    [[nodiscard]] LocalBackendOptions loading() const;
    [[nodiscard]] MemoryPlan loadedPlan() const;
    [[nodiscard]] QString titleOf(const QString &path) const;

    Options m_options;
    QString m_profile;
    Settings m_settings;
    OpenDirectory m_openDirectory;
    HistoryClient m_history;
    EngineClient m_engine;
    ChatController m_controller;
    Analyst m_analyst;
    VersionReader m_versions;
    ConversationShelf m_shelf;
    TraceExport m_traces;
    std::unique_ptr<ui::MainWindow> m_window;
    DeviceChooser m_chooser;
    std::unique_ptr<HistoryCommands> m_historyCommands;
    std::unique_ptr<LibraryCommands> m_library;
    QString m_directory; ///< of the loaded model; empty: none
    QString m_loading; ///< directory of the model that is being loaded
};

} // namespace bathyscope::app

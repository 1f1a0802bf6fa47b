// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/hub/hub_commands.h"
#include "app/library/model_library.h"
#include "app/settings.h"
#include "ui/library/library_window.h"

#include <QObject>
#include <QPointer>

#include <functional>
#include <thread>

namespace bathyscope::app {

/// What the user does with the models on this machine: looks through them, adds folders, opens one.
class LibraryCommands : public QObject {
    Q_OBJECT

public:
    /// How a model would be loaded now, and what of the devices the open one holds.
    struct Circumstances {
        LocalBackendOptions loading;
        MemoryPlan loaded;
    };

    /// `ownFolder`: where this program keeps models. `window` is the parent of the library's.
    LibraryCommands(Settings &settings, const QString &ownFolder, std::function<DeviceList()> listDevices,
                    std::function<Circumstances()> circumstances, QWidget *window);

    void show();
    [[nodiscard]] ui::LibraryWindow *window() const { return m_window; } ///< nullptr: not shown yet

signals:
    void openRequested(const QString &path, const QString &title);
    void openFileRequested();
    void told(const QString &text); ///< something went well
    void failed(const QString &text);

private:
    void build();
    void search();
    void changeFolders(const QStringList &folders);

    void askToConvert(const QString &path, const QString &title);
    void convert(const QString &path, const QString &target);
    void onConverted(const QString &target, const QString &problem);

    Settings &m_settings;
    QString m_ownFolder;
    std::function<Circumstances()> m_circumstances;
    QWidget *m_parent;
    QPointer<ui::LibraryWindow> m_window;
    ModelLibrary m_library;
    HubCommands m_hub;
    std::jthread m_conversion; ///< last: it calls this object
};

} // namespace bathyscope::app

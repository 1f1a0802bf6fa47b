// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/library/model_library.h"
#include "app/settings.h"
#include "ui/library/library_window.h"

#include <QObject>
#include <QPointer>

#include <functional>

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

private:
    void build();
    void search();
    void changeFolders(const QStringList &folders);

    Settings &m_settings;
    QString m_ownFolder;
    std::function<Circumstances()> m_circumstances;
    QWidget *m_parent;
    QPointer<ui::LibraryWindow> m_window;
    ModelLibrary m_library;
};

} // namespace bathyscope::app

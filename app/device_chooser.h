// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/executor/memory_plan.h"

#include <QObject>
#include <QThread>

#include <functional>
#include <memory>

namespace bathyscope::app {

/// What is to be loaded, and what is in its way.
struct LoadingQuestion {
    QString directory;
    QString title; ///< of the model
    std::shared_ptr<const ModelMemory> needs; ///< none: not known
    MemoryPlan loaded; ///< of the model that would make way
    LocalBackendOptions options; ///< as they are now
};

/// Looks for the devices, which may take a while, on a thread of its own and then asks where a model is to
/// run.
class DeviceChooser : public QObject {
    Q_OBJECT

public:
    using ListDevices = std::function<DeviceList()>;

    /// `window` is the parent of the dialog.
    DeviceChooser(ListDevices listDevices, QWidget *window);
    ~DeviceChooser() override; ///< waits for the list

    /// Ignored while another question is open.
    void ask(const LoadingQuestion &question);

signals:
    void chosen(const QString &directory, const bathyscope::LocalBackendOptions &options);

private:
    void show(const LoadingQuestion &question, const DeviceList &devices);

    ListDevices m_listDevices;
    QWidget *m_window;
    std::unique_ptr<QThread> m_listing;
    bool m_asking = false;
};

} // namespace bathyscope::app

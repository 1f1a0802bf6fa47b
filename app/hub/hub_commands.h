// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/hub/download_queue.h"
#include "app/hub/hub_client.h"
#include "app/hub/secret_store.h"
#include "ui/library/library_window.h"

#include <QNetworkAccessManager>
#include <QObject>
#include <QPointer>

namespace bathyscope::app {

/// What the user does with a model hub: searches, chooses, downloads. Nothing is asked of the hub before
/// that.
class HubCommands : public QObject {
    Q_OBJECT

public:
    /// Models go below `folder`, as OWNER/NAME; the records of downloads into `records`.
    HubCommands(const QString &folder, const QString &records);

    /// Connects the page of the hub.
    void connectWindow(ui::LibraryWindow &window);

signals:
    /// A model has arrived below this folder.
    void arrived(const QString &folder);

private:
    void search(const QString &text);
    void describe(const HubAddress &address);
    void download(const ui::HubChoice &choice);
    void askForToken();
    void withAccess(const std::function<void(const HubAccess &access)> &use);

    QString m_folder;
    QUrl m_endpoint = HubAccess::endpointFromEnvironment();
    QNetworkAccessManager m_network;
    SecretStore m_secrets;
    HubClient m_client;
    DownloadQueue m_queue;
    QPointer<ui::LibraryWindow> m_window;
    HubAddress m_asked; ///< by the user, perhaps with a revision
    HubRepository m_repository; ///< the one whose choices are shown
};

} // namespace bathyscope::app

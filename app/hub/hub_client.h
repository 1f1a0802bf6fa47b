// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/hub/hub_access.h"
#include "app/hub/hub_repository.h"

#include <QNetworkAccessManager>
#include <QObject>
#include <QPointer>

#include <functional>

namespace bathyscope::app {

/// Asks a hub what there is. A question ends the one before.
class HubClient : public QObject {
    Q_OBJECT

public:
    explicit HubClient(QNetworkAccessManager &network, QObject *parent = nullptr);
    ~HubClient() override;

    void search(const HubAccess &access, const QString &text);
    void describe(const HubAccess &access, const HubAddress &address);

signals:
    void found(const std::vector<bathyscope::ui::HubResult> &results);
    void described(const bathyscope::app::HubRepository &repository);
    void failed(const QString &why);

private:
    using Take = std::function<void(const QByteArray &answer)>;
    void get(const HubAccess &access, const QUrl &url, const Take &take, int redirects);
    void finish(const HubAccess &access, const Take &take, int redirects);

    QNetworkAccessManager &m_network;
    QPointer<QNetworkReply> m_reply;
};

/// Why a hub refused, for people.
QString refusalOf(const QNetworkReply &reply, const HubAccess &access);

} // namespace bathyscope::app

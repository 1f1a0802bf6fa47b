// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/hub/hub_client.h"

#include "engine/error.h"
#include "engine/limits.h"

#include <QNetworkReply>

namespace bathyscope::app {

HubClient::HubClient(QNetworkAccessManager &network, QObject *parent)
    : QObject(parent)
    , m_network(network)
{
}

HubClient::~HubClient()
{
    if (m_reply != nullptr) {
        m_reply->disconnect(this);
        m_reply->abort();
        m_reply->deleteLater();
    }
}

void HubClient::search(const HubAccess &access, const QString &text)
{
    get(
        access, access.search(text), [this](const QByteArray &answer) { emit found(parseSearch(answer)); },
        0);
}

void HubClient::describe(const HubAccess &access, const HubAddress &address)
{
    get(
        access, access.repository(address),
        [this](const QByteArray &answer) { emit described(parseRepository(answer)); }, 0);
}

void HubClient::get(const HubAccess &access, const QUrl &url, const Take &take, int redirects)
{
    if (m_reply != nullptr) {
        m_reply->disconnect(this);
        m_reply->abort();
        m_reply->deleteLater();
    }
    m_reply = m_network.get(access.request(url));
    connect(m_reply, &QNetworkReply::downloadProgress, this, [this](qint64 received) {
        if (received > limits::maxHubAnswer)
            m_reply->abort();
    });
    connect(m_reply, &QNetworkReply::finished, this,
            [this, access, take, redirects] { finish(access, take, redirects); });
}

void HubClient::finish(const HubAccess &access, const Take &take, int redirects)
{
    QNetworkReply *reply = m_reply;
    m_reply.clear();
    reply->deleteLater();
    if (const auto next = redirectOf(*reply); next && redirects < limits::maxHubRedirects) {
        get(access, *next, take, redirects + 1);
        return;
    }
    if (statusOf(*reply) != 200 || reply->error() != QNetworkReply::NoError) {
        emit failed(refusalOf(*reply, access));
        return;
    }
    try {
        take(reply->readAll());
    } catch (const Error &error) {
        emit failed(QString::fromUtf8(error.what()));
    }
}

QString refusalOf(const QNetworkReply &reply, const HubAccess &access)
{
    const QString host = access.endpoint.host();
    switch (statusOf(reply)) {
    case 401:
    case 403:
        return access.token.isEmpty() ? HubClient::tr("%1 gives this only to those who have agreed to its "
                                                      "conditions: agree on the model's page, then "
                                                      "enter your access token here.")
                                            .arg(host)
                                      : HubClient::tr("%1 does not accept your access token for this: agree "
                                                      "to the conditions on the model's page, or "
                                                      "enter another token.")
                                            .arg(host);
    case 404:
        return HubClient::tr("%1 has nothing of that name.").arg(host);
    case 429:
        return HubClient::tr(
                   "%1 asks to wait: too many questions came from here. Try again in a few minutes.")
            .arg(host);
    default:
        return HubClient::tr("%1 does not answer as it should: %2.").arg(host, reply.errorString());
    }
}

} // namespace bathyscope::app

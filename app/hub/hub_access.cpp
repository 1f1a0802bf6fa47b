// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/hub/hub_access.h"

#include <QHostAddress>
#include <QNetworkReply>
#include <QRegularExpression>
#include <QUrlQuery>

#include <algorithm>

namespace bathyscope::app {

namespace {

constexpr int silence = 30'000; // ms without a byte until a connection counts as lost
constexpr int longestWait = 600; // s

bool sameOrigin(const QUrl &a, const QUrl &b)
{
    const auto port = [](const QUrl &url) {
        return url.port(url.scheme() == QLatin1String("https") ? 443 : 80);
    };
    return a.scheme() == b.scheme() && a.host() == b.host() && port(a) == port(b);
}

bool mayCarryToken(const QUrl &url)
{
    return url.scheme() == QLatin1String("https") || url.host() == QLatin1String("localhost")
        || QHostAddress(url.host()).isLoopback();
}

/// A path below the endpoint; each part is encoded.
QUrl below(const QUrl &endpoint, const QString &path)
{
    QUrl url = endpoint;
    url.setPath(endpoint.path() + path, QUrl::DecodedMode);
    return url;
}

} // namespace

std::optional<HubAddress> parseHubAddress(const QString &text, const QUrl &endpoint)
{
    QString rest = text.trimmed();
    rest.remove(QRegularExpression(QStringLiteral("^https?://")));
    rest.remove(QRegularExpression(QStringLiteral("[?#].*$")));
    for (const QString &host :
         {endpoint.authority(), QStringLiteral("huggingface.co"), QStringLiteral("hf.co")})
        if (rest.startsWith(host + QLatin1Char('/')))
            rest.remove(0, host.size() + 1);
    static const QRegularExpression form(QStringLiteral(
        "^([A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*)(?:/(?:tree|blob|resolve)/([\\w.-]+)(?:/.*)?)?/?$"));
    const QRegularExpressionMatch match = form.match(rest);
    if (!match.hasMatch() || match.captured(1).contains(QLatin1String("..")))
        return std::nullopt;
    return HubAddress{match.captured(1), match.captured(2)};
}

QUrl HubAccess::endpointFromEnvironment()
{
    QString text = qEnvironmentVariable("HF_ENDPOINT");
    while (text.endsWith(QLatin1Char('/')))
        text.chop(1);
    const QUrl url(text);
    const bool usable = url.isValid() && !url.host().isEmpty()
        && (url.scheme() == QLatin1String("https") || url.scheme() == QLatin1String("http"));
    return usable ? url : QUrl(QStringLiteral("https://huggingface.co"));
}

QUrl HubAccess::search(const QString &text) const
{
    QUrl url = below(endpoint, QStringLiteral("/api/models"));
    QUrlQuery query;
    query.addQueryItem(QStringLiteral("search"), QString::fromLatin1(QUrl::toPercentEncoding(text)));
    query.addQueryItem(QStringLiteral("sort"), QStringLiteral("downloads"));
    query.addQueryItem(QStringLiteral("direction"), QStringLiteral("-1"));
    query.addQueryItem(QStringLiteral("limit"), QStringLiteral("50"));
    url.setQuery(query);
    return url;
}

QUrl HubAccess::repository(const HubAddress &address) const
{
    const QString revision = address.revision.isEmpty() ? QStringLiteral("main") : address.revision;
    QUrl url =
        below(endpoint, QStringLiteral("/api/models/%1/revision/%2").arg(address.repository, revision));
    url.setQuery(QStringLiteral("blobs=true"));
    return url;
}

QUrl HubAccess::file(const QString &repository, const QString &commit, const QString &name) const
{
    return below(endpoint, QStringLiteral("/%1/resolve/%2/%3").arg(repository, commit, name));
}

QUrl HubAccess::page(const QString &repository) const
{
    return below(endpoint, QLatin1Char('/') + repository);
}

QNetworkRequest HubAccess::request(const QUrl &url) const
{
    QNetworkRequest request(url);
    request.setAttribute(QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    request.setAttribute(QNetworkRequest::CookieLoadControlAttribute, QNetworkRequest::Manual);
    request.setAttribute(QNetworkRequest::CookieSaveControlAttribute, QNetworkRequest::Manual);
    request.setTransferTimeout(silence);
    request.setRawHeader("User-Agent", "bathyscope/" BATHYSCOPE_VERSION);
    if (!token.isEmpty() && sameOrigin(url, endpoint) && mayCarryToken(url))
        request.setRawHeader("Authorization", "Bearer " + token.toUtf8());
    return request;
}

std::optional<QUrl> redirectOf(const QNetworkReply &reply)
{
    const int status = statusOf(reply);
    if (status < 300 || status > 399 || !reply.hasRawHeader("Location"))
        return std::nullopt;
    const QUrl from = reply.request().url();
    const QUrl to = from.resolved(QUrl::fromEncoded(reply.rawHeader("Location")));
    const bool known = to.scheme() == QLatin1String("https")
        || (to.scheme() == QLatin1String("http") && from.scheme() == QLatin1String("http"));
    return known ? std::optional(to) : std::nullopt;
}

int statusOf(const QNetworkReply &reply)
{
    return reply.attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
}

int retryAfter(const QNetworkReply &reply)
{
    bool read = false;
    const int seconds = reply.rawHeader("Retry-After").toInt(&read);
    return read && seconds >= 0 ? std::min(seconds, longestWait) : -1;
}

} // namespace bathyscope::app

// SPDX-License-Identifier: GPL-3.0-or-later
//
// Addresses of a model hub, and what is sent to whom.
#pragma once

#include <QNetworkRequest>
#include <QString>
#include <QUrl>

#include <optional>

class QNetworkReply;

namespace bathyscope::app {

/// A repository as the user named it.
struct HubAddress {
    QString repository; ///< "owner/name"
    QString revision; ///< a branch, tag or commit; empty: the main branch

    bool operator==(const HubAddress &) const = default;
};

/// Understands "owner/name", an address of a page or file of the hub, and the same without a scheme; none for
/// anything else, which is a text to search for.
std::optional<HubAddress> parseHubAddress(const QString &text, const QUrl &endpoint);

/// A hub and the user's right to use it.
struct HubAccess {
    QUrl endpoint; ///< without a slash at its end
    QString token; ///< empty: none

    /// Of the public hub, or of the one in HF_ENDPOINT.
    static QUrl endpointFromEnvironment();

    [[nodiscard]] QUrl search(const QString &text) const;
    [[nodiscard]] QUrl repository(const HubAddress &address) const;
    [[nodiscard]] QUrl file(const QString &repository, const QString &commit, const QString &name) const;
    [[nodiscard]] QUrl page(const QString &repository) const; ///< for people

    /// A request that follows no redirect by itself. The token goes to the endpoint's host and port alone,
    /// and over an unencrypted connection only within this machine.
    [[nodiscard]] QNetworkRequest request(const QUrl &url) const;
};

/// Where a reply sends to; none where it does not, or where that would leave encryption.
std::optional<QUrl> redirectOf(const QNetworkReply &reply);

/// HTTP status; 0 where there was no answer.
int statusOf(const QNetworkReply &reply);

/// Seconds that a reply asks to wait (Retry-After), at most ten minutes; -1: it does not say.
int retryAfter(const QNetworkReply &reply);

} // namespace bathyscope::app

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QStringList>

#include <cstdint>

namespace bathyscope::ui {

/// A repository that a search found.
struct HubResult {
    QString id; ///< "owner/name"
    qint64 downloads = 0;
    bool gated = false;

    bool operator==(const HubResult &) const = default;
};

/// Files of a repository that make one model.
struct HubChoice {
    QString title;
    QStringList files;
    qint64 bytes = 0;

    bool operator==(const HubChoice &) const = default;
};

/// A model on its way to this machine.
struct DownloadEntry {
    enum class State : std::uint8_t { Running, Paused, Failed, Done };

    QString id;
    QString title;
    State state = State::Paused;
    qint64 done = 0; ///< bytes
    qint64 total = 0;
    double speed = 0; ///< bytes a second, over the last seconds
    QString problem; ///< why it failed

    bool operator==(const DownloadEntry &) const = default;
};

} // namespace bathyscope::ui

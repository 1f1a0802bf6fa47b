// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a hub says of a repository, read from its JSON.
#pragma once

#include "ui/library/hub_entry.h"

#include <QByteArray>
#include <QString>

#include <vector>

namespace bathyscope::app {

/// A file of a repository, at one commit.
struct RemoteFile {
    QString name; ///< relative, with slashes
    qint64 size = -1; ///< bytes; -1: not known
    QString digest; ///< SHA-256 of a large file (64 digits), git's SHA-1 of a small one (40), or empty

    bool operator==(const RemoteFile &) const = default;
};

struct HubRepository {
    QString id; ///< "owner/name"
    QString commit; ///< 40 hexadecimal digits
    bool gated = false; ///< only for those who have agreed to its conditions
    std::vector<RemoteFile> files; ///< whose names are safe to be used below a folder
};

/// Whether a name stays below the folder that it is put in, on every system.
bool isSafeName(const QString &name);

/// Throw Error for what is not the answer that was asked for.
HubRepository parseRepository(const QByteArray &json);
std::vector<ui::HubResult> parseSearch(const QByteArray &json);

/// What can be downloaded as one: each GGUF quantisation with all its parts, and the safetensors with what
/// belongs to them. Smallest first.
std::vector<ui::HubChoice> choicesOf(const HubRepository &repository);

} // namespace bathyscope::app

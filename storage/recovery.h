// SPDX-License-Identifier: GPL-3.0-or-later
//
// From a damaged database to a sound one.
#pragma once

#include "storage/history_types.h"

#include <string>

namespace bathyscope::storage {

/// Sets the closed file aside, makes a new one of the current version in its place and copies every row that
/// can be read. When not one can, the newest sound copy in `backups` takes its place. Throws MediumError.
Recovery recoverDatabase(const std::string &file);

} // namespace bathyscope::storage

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace bathyscope::app {

/// Directory of the built-in model: beside the installed program, else in the tree it was built from. Empty
/// when it is in neither.
QString builtinModelDirectory();

/// Whether it is the built-in model, by its directory.
bool isBuiltinModel(const QString &directory);

} // namespace bathyscope::app

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"

namespace bathyscope {

/// The machine's main memory, or less where this process is held to less. Zeros when it cannot be told.
DeviceMemory systemMemory();

} // namespace bathyscope

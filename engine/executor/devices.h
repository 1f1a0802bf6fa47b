// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"

namespace bathyscope {

/// The CPU and the GPUs of this machine, with the memory that is free now; why there is no GPU, where there
/// is none.
DeviceList listDevices();

} // namespace bathyscope

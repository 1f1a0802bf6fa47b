// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace bathyscope {

/// Bytes a second that a device reads from its memory; 0 where it cannot be measured. Writing a token reads
/// every active weight once, so this bounds the speed of it. `device` is a DeviceInfo::id; takes some 100 ms
/// and 256 MB of the CPU's memory, or twice as much of a GPU's.
double measureReadBandwidth(const std::string &device);

} // namespace bathyscope

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace bathyscope {

/// Bytes a second that the CPU reads from main memory with so many threads (0: one for each core). Takes some
/// 100 ms and 256 MB. Writing a token reads every active weight once, so this bounds the speed of it.
double measureReadBandwidth(int threads);

} // namespace bathyscope

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

namespace bathyscope::storage {

/// CRC-32 of IEEE 802.3, as in zlib and PNG.
std::uint32_t crc32(std::string_view bytes);

} // namespace bathyscope::storage

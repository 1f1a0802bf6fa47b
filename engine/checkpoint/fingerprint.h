// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bathyscope {

/// A hash of names, types, shapes and of samples of the data: the same for the same weights, quick for 600
/// GB.
class Fingerprint {
public:
    void add(std::string_view name, std::string_view type, const std::vector<std::int64_t> &shape,
             std::span<const std::byte> bytes);

    [[nodiscard]] std::string text() const; ///< hexadecimal

private:
    void add(const void *data, std::size_t size);

    std::uint64_t m_state = 0xcbf29ce484222325ULL;
};

} // namespace bathyscope

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bathyscope::jinja {

/// Where a byte of text comes from: the template and its settings, or a message.
enum class Origin : char { Scaffolding = 0, Content = 1 };

/// A string that knows the origin of each of its bytes, so that a prompt can be tokenised without a message
/// forging special tokens. UTF-8.
class Text {
public:
    Text() = default;
    Text(std::string bytes, Origin origin);

    [[nodiscard]] const std::string &bytes() const { return m_bytes; }
    [[nodiscard]] std::size_t size() const { return m_bytes.size(); }
    [[nodiscard]] bool empty() const { return m_bytes.empty(); }
    [[nodiscard]] Origin origin(std::size_t at) const { return static_cast<Origin>(m_origins[at]); }

    void append(const Text &other);
    void append(std::string_view bytes, Origin origin);
    [[nodiscard]] Text slice(std::size_t begin, std::size_t count = std::string::npos) const;

    /// The same bytes count, each changed on its own; origins stay.
    template <typename Change>
    [[nodiscard]] Text mapped(Change change) const
    {
        Text result = *this;
        for (char &byte : result.m_bytes) {
            byte = change(byte);
        }
        return result;
    }

    /// Byte offsets at which characters begin, and the end.
    [[nodiscard]] std::vector<std::size_t> characterOffsets() const;
    [[nodiscard]] std::size_t characterCount() const;

    /// Without the characters of `set` (white space where empty) at its beginning and end.
    [[nodiscard]] Text stripped(bool left, bool right, std::string_view set = {}) const;

private:
    std::string m_bytes;
    std::string m_origins; ///< one Origin for each byte
};

} // namespace bathyscope::jinja

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bathyscope {

/// Raw bytes of a vocabulary entry written in GPT-2's byte alphabet, where every byte is one printable
/// character (openai/gpt-2, encoder.py, bytes_to_unicode). Nothing when another character occurs.
std::optional<std::string> fromByteAlphabet(std::string_view text);

} // namespace bathyscope

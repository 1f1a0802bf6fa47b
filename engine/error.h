// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace bathyscope {

/// Anything wrong with what came from outside: a file, a request, a device. The text is complete and
/// made for a person: which file and key, what was expected, what was found. Thrown anywhere in the
/// engine, caught once at the top of a worker loop.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// An error in a file: "`file`: `key`: expected `expected`, found `found`".
[[noreturn]] void throwFileError(const std::filesystem::path &file, const std::string &key,
                                 const std::string &expected, const std::string &found);

/// UTF-8 text of a path, on every system.
std::string toUtf8(const std::filesystem::path &path);

/// A path from UTF-8 text, on every system.
std::filesystem::path fromUtf8(const std::string &text);

} // namespace bathyscope

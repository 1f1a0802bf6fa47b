// SPDX-License-Identifier: GPL-3.0-or-later
#if !defined(_WIN32)

#include "engine/text/jinja/library.h"

#include <iomanip>
#include <sstream>

namespace bathyscope::jinja {

std::string formatLocalTime(std::time_t time, const std::string &format)
{
    std::tm parts{};
    localtime_r(&time, &parts);
    std::ostringstream stream;
    stream.imbue(std::locale::classic());
    stream << std::put_time(&parts, format.c_str());
    return stream.str();
}

} // namespace bathyscope::jinja

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <string_view>

namespace bathyscope::ui::markdown {

/// The text of an entity such as "&amp;", "&#955;" or "&#x3bb;"; a name that is not known stays as written.
[[nodiscard]] QString entityText(std::string_view entity);

} // namespace bathyscope::ui::markdown

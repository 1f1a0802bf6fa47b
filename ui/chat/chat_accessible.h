// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace bathyscope::ui {

/// Makes every ChatView show its messages, as a list, to assistive technology. May be called repeatedly.
void installChatAccessibility();

} // namespace bathyscope::ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/model/chat_message.h"

#include <memory>
#include <vector>

namespace bathyscope::ui {

/// All replies to one question, oldest first. Shared, since they can be long.
using ReplyVersions = std::shared_ptr<const std::vector<ChatMessage>>;

} // namespace bathyscope::ui

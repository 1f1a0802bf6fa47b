// SPDX-License-Identifier: GPL-3.0-or-later
//
// Replies to the same question as a tree: where each one parts from the others.
#pragma once

#include "ui/model/chat_message.h"

#include <vector>

namespace bathyscope::ui {

/// One reply of the tree.
struct ForkBranch {
    int parent = -1; ///< index of an earlier reply, with which it shares its beginning; -1: with none
    int token = 0; ///< the first one that differs from the parent's
    int tokens = 0; ///< of the whole reply

    bool operator==(const ForkBranch &) const = default;
};

/// Each reply branches off the earlier one with which it shares most tokens, the earliest of those.
/// `replies`, oldest first.
std::vector<ForkBranch> forkTree(const std::vector<ChatMessage> &replies);

/// Index of the first token that differs.
int forkToken(const ChatMessage &a, const ChatMessage &b);

/// "Version 2: 90 tokens, parts from version 1 at token 12"
QString branchText(const std::vector<ForkBranch> &branches, int branch);

} // namespace bathyscope::ui

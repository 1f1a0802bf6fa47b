// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/fork_tree.h"

#include <QCoreApplication>

#include <algorithm>

namespace bathyscope::ui {

int forkToken(const ChatMessage &a, const ChatMessage &b)
{
    const auto same = [](const TokenRecord &x, const TokenRecord &y) { return x.id == y.id; };
    const auto parted =
        std::mismatch(a.tokens.begin(), a.tokens.end(), b.tokens.begin(), b.tokens.end(), same);
    return static_cast<int>(parted.first - a.tokens.begin());
}

std::vector<ForkBranch> forkTree(const std::vector<ChatMessage> &replies)
{
    std::vector<ForkBranch> branches;
    for (std::size_t reply = 0; reply < replies.size(); ++reply) {
        ForkBranch branch{.tokens = static_cast<int>(replies[reply].tokens.size())};
        for (std::size_t earlier = 0; earlier < reply; ++earlier) {
            const int shared = forkToken(replies[reply], replies[earlier]);
            if (shared > branch.token)
                branch = {static_cast<int>(earlier), shared, branch.tokens};
        }
        branches.push_back(branch);
    }
    return branches;
}

QString branchText(const std::vector<ForkBranch> &branches, int branch)
{
    const ForkBranch &shown = branches[static_cast<std::size_t>(branch)];
    const QString text = QCoreApplication::translate("bathyscope::ui", "Version %1: %2 tokens")
                             .arg(branch + 1)
                             .arg(shown.tokens);
    return shown.parent < 0
        ? text
        : QCoreApplication::translate("bathyscope::ui", "%1, parts from version %2 at token %3")
              .arg(text)
              .arg(shown.parent + 1)
              .arg(shown.token + 1);
}

} // namespace bathyscope::ui

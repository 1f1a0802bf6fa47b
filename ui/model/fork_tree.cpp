// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/fork_tree.h"

#include <algorithm>

namespace bathyscope::ui {

std::vector<ForkBranch> forkTree(const std::vector<std::vector<TokenId>> &replies)
{
    std::vector<ForkBranch> branches;
    for (std::size_t reply = 0; reply < replies.size(); ++reply) {
        const std::vector<TokenId> &ids = replies[reply];
        ForkBranch branch{.tokens = static_cast<int>(ids.size())};
        for (std::size_t earlier = 0; earlier < reply; ++earlier) {
            const std::vector<TokenId> &other = replies[earlier];
            const auto shared = static_cast<int>(
                std::mismatch(ids.begin(), ids.end(), other.begin(), other.end()).first - ids.begin());
            if (shared > branch.token)
                branch = {static_cast<int>(earlier), shared, branch.tokens};
        }
        branches.push_back(branch);
    }
    return branches;
}

} // namespace bathyscope::ui

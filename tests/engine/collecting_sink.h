// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/session/backend.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bathyscope {

/// Keeps all that a session produces.
class CollectingSink : public TokenSink {
public:
    std::vector<TokenRecord> records;
    std::vector<PrefillProgress> progress;
    std::function<void()> onRecord = [] {}; ///< after each record

    void onPrefill(const PrefillProgress &p) override { progress.push_back(p); }
    void onToken(TokenRecord &&record) override
    {
        records.push_back(std::move(record));
        onRecord();
    }

    [[nodiscard]] std::vector<TokenId> ids() const
    {
        std::vector<TokenId> ids;
        for (const TokenRecord &record : records)
            ids.push_back(record.id);
        return ids;
    }

    [[nodiscard]] std::string text(Section section) const
    {
        std::string text;
        for (const TokenRecord &record : records)
            if (record.section == section)
                text += record.bytes;
        return text;
    }
};

} // namespace bathyscope

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/versions.h"

#include <algorithm>

namespace bathyscope::ui {

namespace {

int placeOf(const std::vector<ChatMessage> &versions, MessageId reply)
{
    const auto found = std::find_if(versions.begin(), versions.end(),
                                    [reply](const ChatMessage &version) { return version.id == reply; });
    return found == versions.end() ? -1 : static_cast<int>(found - versions.begin());
}

} // namespace

void Versions::add(const ReplyVersions &versions)
{
    if (!versions || versions->empty())
        return;
    m_known[versions->front().id].versions = versions;
    emit changed();
}

void Versions::clear()
{
    m_known.clear();
    emit changed();
}

VersionPair Versions::pairOf(MessageId reply) const
{
    for (const auto &[oldest, known] : m_known) {
        const int shown = placeOf(*known.versions, reply);
        if (shown < 0 || known.versions->size() < 2)
            continue;
        const bool chosen = known.other >= 0 && known.other != shown;
        return {known.versions, shown, chosen ? known.other : shown > 0 ? shown - 1 : 1};
    }
    return {};
}

void Versions::setOther(MessageId reply, int version)
{
    for (auto &[oldest, known] : m_known) {
        const bool there = version >= 0 && version < static_cast<int>(known.versions->size());
        if (!there || placeOf(*known.versions, reply) < 0 || known.other == version)
            continue;
        known.other = version;
        emit changed();
        return;
    }
}

} // namespace bathyscope::ui

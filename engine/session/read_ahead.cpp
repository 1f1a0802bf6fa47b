// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/session/read_ahead.h"

#include <algorithm>

namespace bathyscope {

namespace {

constexpr std::size_t page = 4096; // or a part of one, where pages are larger
constexpr std::size_t piece = std::size_t(16) << 20U; // between two looks at whether to stop

/// One byte of each page is enough.
void touch(std::span<const std::byte> bytes)
{
    for (std::size_t i = 0; i < bytes.size(); i += page)
        static_cast<void>(*static_cast<const volatile std::byte *>(bytes.data() + i));
}

} // namespace

void readAhead(const TensorSource &source, std::int64_t room, const LoadObserver &observer)
{
    const auto files = source.mappedFiles();
    LoadProgress progress;
    for (const auto &file : files)
        progress.total += static_cast<std::int64_t>(file.size());
    if (progress.total > room)
        return;
    for (auto file : files) {
        while (!file.empty()) {
            if (observer.stop.stop_requested())
                throw LoadCancelled();
            const std::size_t size = std::min(piece, file.size());
            touch(file.first(size));
            file = file.subspan(size);
            progress.done += static_cast<std::int64_t>(size);
            if (observer.progress)
                observer.progress(progress);
        }
    }
}

} // namespace bathyscope

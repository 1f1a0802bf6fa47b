// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <cstdint>

namespace bathyscope::ui {

/// A model on this machine, as the library shows it.
struct LibraryEntry {
    enum class Fit : std::uint8_t {
        Unknown, ///< not looked at yet
        Gpu,
        Ram,
        TooLarge,
        CannotRun
    };

    QString path; ///< what opens it
    QString title;
    QString place; ///< where it was found, for people
    QString architecture;
    QString dtype;
    std::uint64_t parameters = 0; ///< zeros: not known
    std::uint64_t activeParameters = 0; ///< used for one token
    std::int64_t bytes = 0; ///< of its files
    std::int32_t contextLength = 0; ///< tokens
    Fit fit = Fit::Unknown;
    QString verdict; ///< one sentence: where it runs, or why it does not and what would
    double speed = 0; ///< tokens/s, estimated; 0: not known
    bool convertible = false; ///< to FP8 blocks

    bool operator==(const LibraryEntry &) const = default;
};

} // namespace bathyscope::ui

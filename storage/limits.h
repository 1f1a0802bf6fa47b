// SPDX-License-Identifier: GPL-3.0-or-later
//
// Hard limits on what comes from stored and imported files, so that no input can exhaust memory or time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bathyscope::storage::limits {

// blobs
inline constexpr std::size_t tokensPerBlob = 256; ///< the most that one may hold
inline constexpr std::size_t vocabulary = 1U << 24U; ///< items; published models have at most 2^18
inline constexpr std::size_t fingerprintBytes = 256;

// traces that the medium refuses wait in memory
inline constexpr std::size_t waitingTraceBytes = 32U << 20U;

// imported conversations
inline constexpr std::size_t importBytes = std::size_t{1} << 30U; ///< of one file
inline constexpr int importDepth = 64; ///< nesting of JSON
inline constexpr std::size_t importConversations = 1'000'000; ///< of one file
inline constexpr std::size_t importMessages = 10'000'000; ///< of one file
inline constexpr std::int64_t importedId = std::int64_t{1} << 62; ///< ids above are given anew

// backups
inline constexpr std::size_t dailyBackups = 7;

} // namespace bathyscope::storage::limits

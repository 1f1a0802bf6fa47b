// SPDX-License-Identifier: GPL-3.0-or-later
//
// Hard limits on all that comes from files, templates and other programs, so that no input can exhaust memory
// or time. They stand together so that one look shows what is bounded, and where a bound is missing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bathyscope::limits {

// tokenizer.json
inline constexpr std::uintmax_t maxTokenizerFileBytes = 256U << 20U;
inline constexpr std::size_t maxVocabulary = 4'000'000; ///< entries, and the largest id + 1
inline constexpr std::size_t maxMerges = 4'000'000;
inline constexpr std::size_t maxTokenBytes = 65'536; ///< of one vocabulary entry
inline constexpr std::size_t maxPreTokenizers = 64; ///< steps, nested sequences included
inline constexpr std::size_t maxPatternBytes = 65'536;
inline constexpr std::uint32_t maxRegexSteps = 200'000'000; ///< backtracking steps of one match
inline constexpr std::size_t maxRegexStackBytes = 8U << 20U;

// chat templates
inline constexpr std::size_t maxTemplateSource = 1U << 20U; ///< bytes
inline constexpr std::size_t maxTemplateDepth = 200; ///< nesting of the source and of evaluation
inline constexpr std::size_t maxTemplateSteps = 10'000'000; ///< evaluated nodes, copied data included
inline constexpr std::size_t maxTemplateOutput = 64U << 20U; ///< bytes of a prompt or of one value
inline constexpr std::size_t maxTemplateItems = 1'000'000; ///< of one list
inline constexpr std::size_t maxTemplateRange = 100'000; ///< numbers of one range()
inline constexpr std::uintmax_t maxTemplateFileBytes = 64U << 20U; ///< tokenizer_config.json

// model directories
inline constexpr std::uintmax_t maxTextFile = 256U << 20U; ///< config.json, index files
inline constexpr std::size_t maxMappedFiles = 4096; ///< at a time; the largest published model has 163
inline constexpr std::uint64_t maxSafetensorsHeader = 100'000'000; ///< bytes, as the format's own reader
inline constexpr std::uint64_t maxTensorElements = std::uint64_t(1) << 40U;
inline constexpr std::size_t maxTensorRank = 8;

// GGUF files
inline constexpr std::uint64_t maxGgufEntries = 65'536; ///< of the metadata
inline constexpr std::uint64_t maxGgufTensors = 262'144;
inline constexpr std::uint64_t maxGgufArray = 4'000'000; ///< entries; the longest hold vocabulary and merges
inline constexpr std::uint64_t maxGgufText = 4U << 20U; ///< bytes of one name, string or template
inline constexpr std::uint64_t maxGgufAlignment = 1U << 20U;
inline constexpr std::int64_t maxGgufParts = 4096; ///< files of one model

// hyperparameters
inline constexpr std::int64_t maxLayers = 1024;
inline constexpr std::int64_t maxExperts = 4096;
inline constexpr std::int64_t maxWidth = 1 << 20; ///< hidden sizes, ranks and head dimensions
inline constexpr std::int64_t maxContext = 1 << 24; ///< tokens

// folders of models
inline constexpr int maxLibraryDepth = 8; ///< folders below the one that is searched
inline constexpr std::size_t maxLibraryEntries = 200'000; ///< files and folders looked at
inline constexpr std::size_t maxLibraryModels = 4096;

// model hubs
inline constexpr std::int64_t maxHubAnswer = 64 << 20; ///< bytes of one answer that is not a model's file
inline constexpr int maxHubFiles = 10'000; ///< of one repository
inline constexpr int maxHubRedirects = 8; ///< of one request

// stored tokens and traces
inline constexpr std::size_t tokensPerBlob = 256; ///< the most that one may hold
inline constexpr std::size_t maxStoredVocabulary = 1U << 24U; ///< items; published models have at most 2^18
inline constexpr std::size_t maxFingerprintBytes = 256;
inline constexpr std::size_t maxWaitingTraceBytes = 32U << 20U; ///< in memory while the medium refuses them

// imported conversations
inline constexpr std::size_t maxImportBytes = std::size_t{1} << 30U; ///< of one file
inline constexpr int maxImportDepth = 64; ///< nesting of JSON
inline constexpr std::size_t maxImportConversations = 1'000'000; ///< of one file
inline constexpr std::size_t maxImportMessages = 10'000'000; ///< of one file
inline constexpr std::int64_t maxImportedId = std::int64_t{1} << 62; ///< ids above are given anew

// backups
inline constexpr std::size_t dailyBackups = 7;

} // namespace bathyscope::limits

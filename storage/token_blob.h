// SPDX-License-Identifier: GPL-3.0-or-later
//
// The packed forms of tokens and of vocabularies (blob_io.h), independent of SQLite.
//
//     version 2 of tokens: id section:u8 bytes logProb:f32
//     version 1 of tokens: id section:u8 bytes logProb:f32 seconds:f32 restMass:f32
//                          count:varint (id logProb:f32)* count:varint (expert:varint weight:f32)*
//     vocabulary         : bytes
//
// Version 1 held the traces, which have a file of their own now (trace_blob.h). It is read, never written.
#pragma once

#include "engine/limits.h"
#include "engine/records.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bathyscope::storage {

/// The most tokens a blob may hold.
inline constexpr std::size_t kTokensPerBlob = limits::tokensPerBlob;

/// The words of at most kTokensPerBlob tokens: id, section, bytes and log-probability, all exact.
std::string packTokens(std::span<const TokenRecord> tokens);

/// Throws Error that says what is wrong with the blob. Safe with any bytes.
std::vector<TokenRecord> unpackTokens(std::string_view blob);

std::string packVocabulary(const Vocabulary &vocabulary);

/// Throws Error that says what is wrong with the blob. Safe with any bytes.
Vocabulary unpackVocabulary(std::string_view blob);

} // namespace bathyscope::storage

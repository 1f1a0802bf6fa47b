// SPDX-License-Identifier: GPL-3.0-or-later
//
// The packed form of traces (blob_io.h), independent of SQLite.
//
//     blob  = checksum version count model:bytes trace*
//     trace = seconds:f32 restMass:f32 count:varint (id logProb:f16)* count:varint (expert:varint
//     weight:f16)*
//
// Log-probabilities of candidates and weights of experts lose up to kHalfRelativeError of themselves. That of
// the chosen token is stored with the words, exactly, and put back where the token is among its candidates.
#pragma once

#include "engine/records.h"
#include "storage/half.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bathyscope::storage {

/// What a TokenRecord holds besides the words.
struct TokenTrace {
    std::vector<Candidate> top = {};
    float restMass = 0;
    std::vector<ExpertChoice> experts = {};
    float seconds = 0;

    bool operator==(const TokenTrace &) const = default;
};

/// Puts a trace into the record of its token.
void addTrace(TokenRecord &token, TokenTrace trace);

struct TraceBlob {
    std::string model; ///< ModelInfo::fingerprint
    std::vector<TokenTrace> traces;
};

/// `tokens` has at most kTokensPerBlob entries.
std::string packTraces(const std::string &model, std::span<const TokenRecord> tokens);

/// Throws Error that says what is wrong with the blob. Safe with any bytes.
TraceBlob unpackTraces(std::string_view blob);

/// One blob of several, in order. Throws Error when one is damaged, when they are of different models or hold
/// too many tokens.
std::string joinTraces(std::span<const std::string> blobs);

} // namespace bathyscope::storage
